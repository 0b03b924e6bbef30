// The sign-up form as an element for any website: <vestka-signup lang="be" segments="en be-ru">.
// It holds under the strictest policy of a page (no inline style, no markup from strings, no eval),
// takes font and colours from around it, and tells the newsletter nothing until it is sent.
(() => {
  const vestka = VESTKA;

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block; max-width: 38rem; --ground: #0f5a4c; --ink: #fff; --edge: currentColor }
    @supports (color: light-dark(red, red)) and (color: color-mix(in srgb, red, red)) {
      :host {
        --ground: light-dark(#0f5a4c, #7cd3bd);
        --ink: light-dark(#fff, #0c231d);
        --edge: color-mix(in srgb, currentColor 75%, transparent);
      }
    }
    :host([hidden]), [hidden] { display: none }
    * { box-sizing: border-box }
    form, fieldset, p { margin: 0; padding: 0; border: 0; min-width: 0 }
    p, label, legend { text-wrap: pretty }
    form { display: grid; gap: 1.25rem }
    .head, legend { display: block; margin: 0 0 .4rem; padding: 0; font-weight: 600 }
    [type=email] {
      width: 100%; min-height: 3rem; padding: .6rem .8rem; border: 1px solid var(--edge);
      border-radius: .375rem; background: transparent; color: inherit; font: inherit;
    }
    [aria-invalid=true] { border-width: 2px; border-color: currentColor }
    .row { display: flex; flex-wrap: wrap; gap: 0 1.5rem }
    .choice { display: flex; align-items: center; gap: .7rem; min-height: 2.75rem; cursor: pointer }
    .choice input {
      flex: none; width: 1.35rem; height: 1.35rem; margin: 0;
      accent-color: var(--vestka-accent, var(--ground));
    }
    .note { padding-left: .8rem; border-left: 4px solid var(--vestka-accent, var(--ground)) }
    .note:empty { display: none }
    .small { font-size: .9375em }
    .trap {
      position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
      white-space: nowrap;
    }
    button {
      justify-self: start; min-height: 3.25rem; padding: .75rem 1.75rem; border: 2px solid transparent;
      border-radius: .375rem; background: var(--vestka-accent, var(--ground));
      color: var(--vestka-on-accent, var(--ink)); font: inherit; font-weight: 600; cursor: pointer;
    }
    button[aria-disabled=true] { cursor: progress }
    :focus-visible { outline: 3px solid var(--vestka-accent, var(--ground)); outline-offset: 3px }
    .done { display: grid; gap: .75rem; outline: 0 }
    .done > :first-child { font-size: 1.25em; font-weight: 700 }
    a { color: inherit }
    @media (max-width: 30rem) { button { justify-self: stretch } }
  `);

  const make = (tag, facts, ...children) => {
    const { aria = {}, ...own } = facts || {};
    const made = Object.assign(document.createElement(tag), own);
    for (const name in aria) made.setAttribute("aria-" + name, aria[name]);
    made.append(...children);
    return made;
  };

  const choice = (type, name, value, words, checked, lang = "") =>
    make("label", { className: "choice" },
      make("input", { type, name, value, checked }), make("span", { lang }, words));

  const exposed = (address) => {
    const domain = address.split("@").slice(1).pop();
    const name = "." + (domain || "").trim().toLowerCase().replace(/\.$/, "");
    return vestka.exposed.some((each) => name.endsWith("." + each));
  };

  const ask = async (url, more) => fetch(url, {
    credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", redirect: "error", ...more,
  });

  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const hex = (buffer) =>
    Array.from(new Uint8Array(buffer), (each) => each.toString(16).padStart(2, "0")).join("");

  // The task that keeps robots away, where the service asks for it (altcha.org, version 2).
  const solve = async (service) => {
    const challenge = await (await ask(service + "/v1/challenge")).json();
    const { algorithm, cost, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
    const how = {
      name: "PBKDF2", hash: algorithm.split("/")[1], iterations: cost, salt: bytes(salt),
    };
    const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
    const end = new DataView(password.buffer, password.length - 4);
    for (let counter = 0; ; counter++) {
      end.setUint32(0, counter);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const derivedKey = hex(await crypto.subtle.deriveBits(how, key, 8 * keyLength));
      if (derivedKey.startsWith(keyPrefix))
        return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
    }
  };

  class Signup extends HTMLElement {
    static observedAttributes = ["lang", "segments"];

    connectedCallback() {
      this.root ||= this.attachShadow({ mode: "open" });
      this.root.adoptedStyleSheets = [sheet];
      this.draw();
    }

    attributeChangedCallback() {
      if (this.root && !this.taken) this.draw();
    }

    get language() {
      const said = this.lang || this.closest("[lang]")?.lang || document.documentElement.lang;
      const base = said.toLowerCase().split("-")[0];
      return vestka.words[base] ? base : vestka.languages[0];
    }

    get offered() {
      const named = (this.getAttribute("segments") || "").toLowerCase().split(/[\s,]+/);
      const some = vestka.segments.filter((each) => named.some((name) => each.names.includes(name)));
      return some.length ? some : vestka.segments;
    }

    get service() {
      return this.getAttribute("service") ?? vestka.service;
    }

    draw() {
      const language = this.language, offered = this.offered, words = vestka.words[language];
      const read = vestka.languages.filter((each) =>
        each === language || offered.some((segment) => segment.languages.includes(each)));
      this.words = words;
      this.email = make("input", {
        id: "email", name: "email", type: "email", inputMode: "email", autocomplete: "email",
        autocapitalize: "off", spellcheck: false, maxLength: 254, required: true,
      });
      this.hint = make("p", { id: "hint", className: "note small", role: "status" });
      this.said = make("p", { id: "said", className: "note", role: "alert" });
      this.button = make("button", { type: "submit" }, words.subscribe);
      const segments = offered.map((each) => choice(
        "checkbox", "segments", each.id, each.name[language],
        offered.length === 1 || each.languages.includes(language)));
      const languages = read.map((each) =>
        choice("radio", "language", each, vestka.words[each].autonym, each === language, each));
      this.form = make("form", { lang: language, noValidate: true },
        make("div", {}, make("label", { className: "head", htmlFor: "email" }, words.email), this.email),
        this.hint,
        make("fieldset", { id: "segments", hidden: offered.length === 1 },
          make("legend", {}, words.segments), ...segments),
        make("fieldset", { id: "language", hidden: read.length === 1 },
          make("legend", {}, words.language), make("div", { className: "row" }, ...languages)),
        make("div", { className: "trap", aria: { hidden: true } },
          make("label", {}, words.trap,
            make("input", { name: "website", tabIndex: -1, autocomplete: "off" }))),
        make("p", { className: "small" }, words.consent),
        this.said, this.button);
      this.email.oninput = () => this.warn(false);
      this.email.onchange = () => this.warn(true);
      this.form.oninput = (event) => { this.forgive(event.target); this.prove(); };
      this.form.onsubmit = (event) => { event.preventDefault(); this.send(); };
      this.root.replaceChildren(this.form);
      this.warn(false);
    }

    // The hint comes when the address is written, not under the reader's fingers; it goes at once.
    warn(written) {
      const is = exposed(this.email.value);
      if (!is) this.hint.textContent = "";
      else if (written) this.hint.textContent = this.words.exposed;
      this.describe(this.email, is && this.hint.textContent ? "hint" : "");
    }

    // A refusal goes when its field is changed: it was of what stood there before.
    forgive(changed) {
      if (!this.wrong?.contains(changed)) return;
      this.clear();
      this.warn(false);
    }

    clear() {
      this.wrong = null;
      for (const field of Object.values(this.fields)) {
        field.removeAttribute("aria-invalid");
        this.describe(field, "");
      }
      this.said.replaceChildren();
    }

    get fields() {
      const [segments, language] = ["segments", "language"].map((id) => this.root.getElementById(id));
      return { email: this.email, segments, language };
    }

    describe(field, id) {
      if (id) field.setAttribute("aria-describedby", id);
      else field.removeAttribute("aria-describedby");
    }

    // While the reader fills in the form, so that nobody waits for it; again if it did not serve.
    prove() {
      if (!vestka.proof || this.proof) return;
      this.proof = solve(this.service);
      this.proof.catch(() => { this.proof = null; });
    }

    wish() {
      const sent = new FormData(this.form);
      const wish = { email: sent.get("email").trim(), segments: sent.getAll("segments") };
      wish.language = sent.get("language");
      const since = this.querySelector("[name=since]")?.value;
      if (since) wish.since = since;
      if (sent.get("website")) wish.website = sent.get("website");
      if (this.getAttribute("source")) wish.source = this.getAttribute("source");
      return wish;
    }

    async send() {
      if (this.busy) return;
      this.refuse();
      const wish = this.wish();
      if (!wish.email) return this.refuse("email");
      if (!wish.segments.length) return this.refuse("segments");
      this.wait(true);
      try {
        let problem = await this.post(wish);
        if (problem === "altcha" || problem === "since") { // of another day, or other keys
          delete wish.since;
          problem = await this.post(wish);
        }
        if (problem) this.refuse(problem);
        else this.thank();
      } catch {
        this.refuse("unreached");
      } finally {
        this.wait(false);
      }
    }

    // Send it; return what is wrong, if anything: a field, or a kind of trouble.
    async post(wish) {
      this.prove();
      const altcha = this.proof ? { altcha: await this.proof } : {};
      this.proof = null;
      const answer = await ask(this.service + "/v1/subscriptions", {
        method: "POST", body: JSON.stringify({ ...wish, ...altcha }),
        headers: { "Content-Type": "application/json" },
      });
      if (answer.ok) return "";
      if (answer.status === 429) return "often";
      if (answer.status === 503) return "busy";
      if (answer.status !== 422) return "otherwise";
      const problem = await answer.json().catch(() => ({}));
      return problem.errors?.[0]?.field?.split(".")[0] || "otherwise";
    }

    wait(busy) {
      this.busy = busy;
      this.button.setAttribute("aria-disabled", busy);
      this.button.textContent = busy ? this.words.sending : this.words.subscribe;
    }

    refuse(problem) {
      this.clear();
      this.warn(true);
      if (!problem) return;
      const field = this.fields[problem], said = this.words.problems[problem];
      this.said.append(said || this.words.problems.otherwise);
      if (problem === "unreached" || problem === "otherwise") {
        const form = this.service + "/form?language=" + this.words.code;
        this.said.append(" ", make("a", { href: form }, this.words.page));
      }
      (field ? field.closest("fieldset, div") : this.button)[field ? "after" : "before"](this.said);
      if (!field) return;
      this.wrong = field;
      if (field === this.email) field.setAttribute("aria-invalid", true);
      this.describe(field, field === this.email && this.hint.textContent ? "said hint" : "said");
      (field === this.email ? field : field.querySelector("input")).focus();
    }

    thank() {
      this.taken = true;
      const [first, ...more] = this.words.taken.map((each) => make("p", {}, each));
      const done = make("div", { className: "done", tabIndex: -1, lang: this.form.lang, role: "status" });
      this.root.replaceChildren(done);
      done.append(first, ...more);
      done.focus();
    }
  }

  customElements.get("vestka-signup") || customElements.define("vestka-signup", Signup);
})();
