// "node:util/types".
import { types } from "node:util";
export const {
  isDate, isRegExp, isMap, isSet, isPromise, isNativeError, isArrayBuffer, isAnyArrayBuffer, isTypedArray, isUint8Array, isArrayBufferView,
  isAsyncFunction, isGeneratorFunction, isKeyObject, isCryptoKey, isProxy, isWeakMap, isWeakSet, isSymbolObject, isBoxedPrimitive, isDataView,
} = types;
export default types;
