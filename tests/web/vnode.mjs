/* Vnode: what a component drew, as text, without a browser. Other components appear as `<Name>` with
 * their properties. */

const escape = (text) => String(text).replace(/[<>&]/g, (letter) => `&#${letter.charCodeAt(0)};`);

export function serialize(node) {
    if (node === null || node === undefined || node === false || node === true) return "";
    if (Array.isArray(node)) return node.map(serialize).join("");
    if (typeof node !== "object") return escape(node);
    const { children, ...props } = node.props;
    const name = typeof node.type === "function" ? node.type.name : node.type;
    const written = Object.entries(props).filter(([, value]) => typeof value !== "function" && value !== undefined)
        .map(([key, value]) => ` ${key}=${escape(JSON.stringify(value))}`).join("");
    return `<${name}${written}>${serialize(children)}</${name}>`;
}
