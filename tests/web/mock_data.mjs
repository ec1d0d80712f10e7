/* Mock data: the models, the server and the activity that mock.mjs tells of. */

const fit = (verdict, memory_bytes, context_tokens, tokens_per_s, why = "") =>
    ({ verdict, memory_bytes, context_tokens, tokens_per_s, why });
const model = (fields) => ({ role: "chat", license: "Apache-2.0", modalities: ["text"], installed: false, default: false,
                             state: "absent", memory_bytes: 0, source: "hf:example/repo", ...fields });

export const MODELS = [
    model({ name: "smollm2", title: "SmolLM2 135M", parameters: 1.35e8, bytes: 9.2e7, installed: true, default: true,
            state: "ready", context_tokens: 8192, memory_bytes: 2.6e8, fit: fit("fits", 2.6e8, 8192, 84) }),
    model({ name: "other", title: "Qwen3 4B", parameters: 4e9, bytes: 2.5e9, installed: true, state: "asleep",
            context_tokens: 32768, fit: fit("fits", 3.9e9, 32768, 9.5) }),
    model({ name: "minilm", title: "all-MiniLM-L6-v2", role: "embedding", parameters: 2.2e7, bytes: 9.1e7, installed: true,
            default: true, state: "asleep", context_tokens: 256, fit: fit("fits", 1.2e8, 256, 0) }),
    model({ name: "bge-reranker", title: "BGE reranker", role: "reranker", parameters: 2.8e8, bytes: 3e8, installed: true,
            default: true, state: "asleep", context_tokens: 512, fit: fit("fits", 3.2e8, 512, 0) }),
    model({ name: "llama3-8b", title: "Llama 3.1 8B", license: "Llama 3.1", parameters: 8e9, bytes: 4.9e9,
            context_tokens: 131072, fit: fit("tight", 8.4e9, 16384, 4.8, "leaves 0.8 GB for everything else") }),
    model({ name: "mistral-24b", title: "Mistral Small 24B", parameters: 2.4e10, bytes: 1.43e10, context_tokens: 32768,
            fit: fit("too large", 1.71e10, 0, 0, "needs 17.1 GB, this machine has 16.0 GB; Qwen3 4B would fit") }),
];

const wall = (name, up = true, why = "") => ({ name, up, why });
export const SERVER = {
    version: "0.2.0", address: "http://127.0.0.1:4327", token_required: false, scope: "admin", tls: false,
    home: "/srv/den",
    sandbox: { level: "full", walls: [wall("namespaces"), wall("empty root"), wall("capabilities"), wall("no new privileges"),
        wall("resource limits"), wall("Landlock"), wall("seccomp"), wall("memory write or execute", false, "needs Linux 6.3")] },
};

export const ACTIVITY = {
    requests: [
        { id: "r1", surface: "page", model: "smollm2", state: "writing", since: Date.now() - 4200, prompt_tokens: 2048,
          prompt_done: 2048, generated_tokens: 310, tokens_per_s: 84.2 },
        { id: "r2", surface: "OpenAI", model: "smollm2", state: "reading", since: Date.now() - 900, prompt_tokens: 6100,
          prompt_done: 1536, generated_tokens: 0, tokens_per_s: 0 },
        { id: "r3", surface: "Ollama", model: "other", state: "waiting", since: Date.now() - 300, prompt_tokens: 120,
          prompt_done: 0, generated_tokens: 0, tokens_per_s: 0 },
    ],
    workers: [{ model: "smollm2", state: "ready", pid: 4711, resident_bytes: 2.61e8, running: 2, waiting: 1, restarts: 0,
                sandbox: "full", tokens_per_s: 84.2 }],
    totals: { requests: 1204, prompt_tokens: 912345, cached_tokens: 401200, generated_tokens: 88213 },
};
