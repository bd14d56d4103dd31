/* The head of a message as bytes, in one pass: what `heads.join_head` does in Python where this is not built.
 *
 * join_head(start, fields) -> bytes | None
 *     start: bytes; fields: a sequence of (bytes, bytes). None if the start line, a name or a value holds CR, LF or NUL.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

static int is_safe(PyObject *part)
{
    const char *text = PyBytes_AS_STRING(part);
    size_t size = (size_t)PyBytes_GET_SIZE(part);
    return memchr(text, '\n', size) == NULL && memchr(text, '\r', size) == NULL && memchr(text, '\0', size) == NULL;
}

static char *put(char *at, PyObject *part)
{
    size_t size = (size_t)PyBytes_GET_SIZE(part);
    memcpy(at, PyBytes_AS_STRING(part), size);
    return at + size;
}

static char *put_two(char *at, char first, char second)
{
    at[0] = first;
    at[1] = second;
    return at + 2;
}

static int is_field(PyObject *field)
{
    return PyTuple_Check(field) && PyTuple_GET_SIZE(field) == 2 && PyBytes_Check(PyTuple_GET_ITEM(field, 0))
        && PyBytes_Check(PyTuple_GET_ITEM(field, 1));
}

static PyObject *join_head(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(arguments[0])) {
        PyErr_SetString(PyExc_TypeError, "join_head takes bytes and a sequence of pairs of bytes");
        return NULL;
    }
    PyObject *start = arguments[0];
    PyObject *fields = PySequence_Fast(arguments[1], "the fields are not a sequence");
    if (fields == NULL)
        return NULL;
    Py_ssize_t length = PySequence_Fast_GET_SIZE(fields);
    PyObject **items = PySequence_Fast_ITEMS(fields);
    PyObject *head = NULL;
    /* No sum of sizes of objects that are all in memory overflows. */
    Py_ssize_t size = PyBytes_GET_SIZE(start) + 4;
    int safe = is_safe(start);
    for (Py_ssize_t index = 0; index < length; index++) {
        PyObject *field = items[index];
        if (!is_field(field)) {
            PyErr_SetString(PyExc_TypeError, "a field is not a pair of bytes");
            goto done;
        }
        PyObject *name = PyTuple_GET_ITEM(field, 0), *value = PyTuple_GET_ITEM(field, 1);
        safe = safe && is_safe(name) && is_safe(value);
        size += PyBytes_GET_SIZE(name) + PyBytes_GET_SIZE(value) + 4;
    }
    if (!safe) {
        head = Py_NewRef(Py_None);
        goto done;
    }
    head = PyBytes_FromStringAndSize(NULL, size);
    if (head == NULL)
        goto done;
    char *at = put_two(put(PyBytes_AS_STRING(head), start), '\r', '\n');
    for (Py_ssize_t index = 0; index < length; index++) {
        at = put_two(put(at, PyTuple_GET_ITEM(items[index], 0)), ':', ' ');
        at = put_two(put(at, PyTuple_GET_ITEM(items[index], 1)), '\r', '\n');
    }
    put_two(at, '\r', '\n');
done:
    Py_DECREF(fields);
    return head;
}

static PyMethodDef methods[] = {
    {"join_head", (PyCFunction)(void (*)(void))join_head, METH_FASTCALL, "The start line, the fields and the empty line."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_head_bytes", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__head_bytes(void)
{
    return PyModule_Create(&definition);
}
