/* Types for packages that ship none. */
declare module "prismjs" {
    const Prism: { languages: Record<string, any>; highlight(code: string, grammar: any, language: string): string };
    export default Prism;
}
