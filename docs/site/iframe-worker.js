// A browser starts no web worker for a page that was opened from disk. There, run the worker's script in a hidden
// frame, so that the search needs no server. The plugin "offline" of mkdocs-material knows this file by its name, and
// otherwise loads one from an outside address.
if (location.protocol === "file:") {
  const load = (page, url) =>
    new Promise((resolve, reject) => {
      const element = Object.assign(page.createElement("script"), { src: url, onload: resolve, onerror: reject });
      page.body.append(element);
    });

  window.Worker = class extends EventTarget {
    constructor(script) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const scope = frame.contentWindow;
      scope.postMessage = (data) => setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data })));
      scope.importScripts = (...urls) => Promise.all(urls.map((url) => load(scope.document, url)));
      this.scope = load(scope.document, script).then(() => scope);
    }

    postMessage(data) {
      this.scope.then((scope) => scope.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
