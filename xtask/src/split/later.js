// The page's second part: fetched once the first has begun, and on the spot where something of it is called before it has come.
const later = (() => {
    const url = new URL('SECOND', import.meta.url);
    let first, here, come = false;
    // Who is in no hurry waits for it (frontend/page/src/io/mod.rs).
    globalThis.hopscopeRest = new Promise((resolve) => (here = resolve));
    const join = (module) => {
        if (!come) {
            new WebAssembly.Instance(module, { first });
            come = true;
            here();
        }
    };
    const now = () => {
        const request = new XMLHttpRequest();
        request.open('GET', url, false);
        request.overrideMimeType('text/plain; charset=x-user-defined');
        request.send();
        if (request.status !== 200) {
            throw new Error('cannot fetch ' + url + ': ' + request.status);
        }
        join(new WebAssembly.Module(Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0) & 255)));
    };
    const fetched = async (wait) => {
        try {
            const answer = await fetch(url);
            if (!answer.ok) {
                throw new Error(answer.status);
            }
            join(await WebAssembly.compile(await answer.arrayBuffer()));
        } catch (error) {
            console.warn('the rest of the page has not come, and is asked for again: ' + error);
            setTimeout(() => come || fetched(Math.min(2 * wait, 30000)), wait);
        }
    };
    return {
        standIns: new Proxy({}, {
            get: (_, slot) => (...words) => {
                come || now();
                return first.T0.get(+slot)(...words);
            },
        }),
        begin: (exports) => {
            first = exports;
            fetched(1000);
        },
    };
})();
