/* Report draft: the report that is being asked for, until it is: it stays when another view is looked at.
 * The list of documents and an earlier report may begin one. */

import { createId } from "../api.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").ReportKind} ReportKind */
/** @typedef {{ id: string, name: string }} Chosen */
/** @typedef {{ workspace: string, kind: ReportKind, documents: Chosen[], question: string, model: string,
 *   columns: { key: string, name: string, description: string }[] }} Draft */

/** @type {WeakMap<Page, Draft>} */
const drafts = new WeakMap();

/** @param {string} [name] @param {string} [description] */
export const newColumn = (name = "", description = "") => ({ key: createId(), name, description });

/** @param {string} workspace @returns {Draft} */
const blank = (workspace) => ({ workspace, kind: "summary", documents: [], question: "", model: "", columns: [newColumn()] });

/** The draft of the workspace that is looked at. @param {Page} page */
export function draftOf(page) {
    const { id } = page.workspaces;
    const draft = drafts.get(page);
    if (draft && draft.workspace === id) return draft;
    const fresh = blank(id);
    drafts.set(page, fresh);
    return fresh;
}

/** @param {Page} page @param {Partial<Draft>} changes */
export function changeDraft(page, changes) {
    drafts.set(page, { ...draftOf(page), ...changes });
}

/** It was handed over. @param {Page} page */
export function forgetDraft(page) {
    drafts.delete(page);
}

/** Begins one about these documents. @param {Page} page @param {ReportKind} kind @param {Chosen[]} documents */
export function beginReport(page, kind, documents) {
    changeDraft(page, { kind, documents });
    page.go("reports", "new");
}

/** Begins one like another. @param {Page} page @param {import("../types.js").Report} report */
export function repeatReport(page, { kind, documents, question, model, columns, workspace }) {
    const isWhole = !!workspace && kind !== "comparison" && documents.length === page.workspaces.current?.documents;
    changeDraft(page, { kind, question: question ?? "", model: model ?? "", documents: isWhole ? [] : documents.map(({ id, name }) => ({ id, name })),
                        columns: columns?.length ? columns.map((one) => newColumn(one.name, one.description)) : [newColumn()] });
    page.go("reports", "new");
}

/** What is missing before it can be asked for. @param {Draft} draft @param {number} inWorkspace documents there
 * @returns {"" | "twoDocuments" | "someDocument" | "someColumn"} */
export function missingIn({ kind, documents, columns, workspace }, inWorkspace) {
    if (kind === "comparison" && documents.length !== 2) return "twoDocuments";
    if (!documents.length && !(workspace && inWorkspace)) return "someDocument";
    if (kind === "table" && !columns.some(({ name }) => name.trim())) return "someColumn";
    return "";
}

/** The body of the request. @param {Draft} draft */
export function requestOf({ workspace, kind, documents, question, model, columns }) {
    return {
        kind, ...(workspace && { workspace }), ...(model && { model }),
        ...(documents.length && { documents: documents.map(({ id }) => id) }),
        ...(kind !== "table" && question.trim() && { question: question.trim() }),
        ...(kind === "table" && { columns: columns.filter(({ name }) => name.trim()).map(({ name, description }) =>
            ({ name: name.trim(), description: description.trim() || name.trim() })) }),
    };
}
