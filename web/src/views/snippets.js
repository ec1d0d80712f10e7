/* Snippets: the shortest program in each language that talks to this Den. */

/** Quoted for a POSIX shell. @param {string} text */
const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;

/** @param {{ address: string, model: string, token: string }} options
 * @returns {Record<string, string>} */
export function snippets({ address, model, token }) {
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello!" }] });
    const key = JSON.stringify(token || "none");
    const url = JSON.stringify(address);
    const name = JSON.stringify(model);
    return {
        curl: [
            `curl ${address}/chat/completions \\`,
            ...(token ? [`  -H ${quoted(`Authorization: Bearer ${token}`)} \\`] : []),
            "  -H 'Content-Type: application/json' \\",
            `  -d ${quoted(body)}`,
        ].join("\n"),
        Python: [
            "from openai import OpenAI",
            "",
            `client = OpenAI(base_url=${url}, api_key=${key})`,
            "stream = client.chat.completions.create(",
            `    model=${name},`,
            '    messages=[{"role": "user", "content": "Hello!"}],',
            "    stream=True,",
            ")",
            "for chunk in stream:",
            '    print(chunk.choices[0].delta.content or "", end="", flush=True)',
        ].join("\n"),
        JavaScript: [
            'import OpenAI from "openai";',
            "",
            `const client = new OpenAI({ baseURL: ${url}, apiKey: ${key} });`,
            "const stream = await client.chat.completions.create({",
            `    model: ${name},`,
            '    messages: [{ role: "user", content: "Hello!" }],',
            "    stream: true,",
            "});",
            "for await (const chunk of stream)",
            '    process.stdout.write(chunk.choices[0]?.delta?.content ?? "");',
        ].join("\n"),
    };
}
