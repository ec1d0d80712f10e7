/* Parting: what is deleted and may come back for a while, where the program can't bring it back: it goes
 * off the page at once, and is deleted when nobody wants it any more. A page that is closed before has
 * deleted nothing. */

/** @typedef {{ id: string, title: string, act(): Promise<any>, undo(): any }} Leaving */

export class Parting {
    /** @param {import("./page.js").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {Leaving | null} the last one, which may come back */
        this.leaving = null;
        /** @type {Set<string>} ids, not to be shown */
        this.hidden = new Set();
    }

    /** What left before goes for good. @param {Leaving} leaving */
    begin(leaving) {
        this.end();
        this.hidden.add(leaving.id);
        this.leaving = leaving;
        this.page.changed();
    }

    async end() {
        const { leaving } = this;
        this.leaving = null;
        this.page.changed();
        if (!leaving) return;
        await this.page.attempt(leaving.act);
        this.hidden.delete(leaving.id);
        this.page.changed();
    }

    undo() {
        const { leaving } = this;
        this.leaving = null;
        if (leaving) this.hidden.delete(leaving.id);
        leaving?.undo();
        this.page.changed();
    }
}
