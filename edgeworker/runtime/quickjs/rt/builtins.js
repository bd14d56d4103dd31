// What process.getBuiltinModule() finds: the small modules always, and the large ones where the worker names them.
const builtins = {};
export const addBuiltins = (modules) => void Object.assign(builtins, modules);
export const findBuiltin = (name) => builtins[name];
