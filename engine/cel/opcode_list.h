/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off: a table */
/*
 * opcode_list - the steps of a compiled condition: X(NAME, "operands", "stack before -- after:
 * meaning").
 *
 * Enum, names and the disassembler come from here. Every value on the stack may also be unknown
 * or an error ("odd"); strict steps pass on the first odd operand (cel_strict). Slots are absolute stack positions, known when compiling. k: constant, n: name constant,
 * to: step index.
 */
#ifndef MANDATE_ENGINE_CEL_OPCODE_LIST_H
#define MANDATE_ENGINE_CEL_OPCODE_LIST_H

#define CEL_OPCODE_LIST(X)                                                                             \
    X(DONE, "", "v -- : the result; always the last step")                                             \
    X(CONST, "k", "-- v: constant")                                                                    \
    X(LOCAL, "slot", "-- v: variable of a comprehension")                                              \
    X(VAR, "var", "-- v: declared variable, from the host")                                            \
    X(NOW, "", "-- t: the moment of evaluation, moving with slope 1")                                  \
    X(ENTITY, "type", "key -- o: entity of a table, from the host")                                    \
    X(FIELD, "field,n,object", "o -- v: declared field of a host object")                              \
    X(SELECT, "n", "x -- v: field or entry by name, decided at run time")                              \
    X(HAS, "n", "x -- b: presence of a field or entry")                                                \
    X(OPT_SELECT, "n", "x -- opt: field or entry if present")                                          \
    X(INDEX, "", "x i -- v: element of a list, entry of a map")                                        \
    X(OPT_INDEX, "", "x i -- opt: element or entry if present")                                        \
    X(LIST, "count,mask", "v.. -- list: new list; masked elements are optionals")                      \
    X(MAP, "count,mask", "k v.. -- map: new map; masked entries are optionals")                        \
    X(CALL, "overload,args", "v.. -- v: one function, found when compiling")                           \
    X(CALL_DYN, "overload,args,count", "v.. -- v: the one of `count` overloads that fits")             \
    X(CALL_HOST, "overload,n,count", "v.. -- v: the one of `count` that fits, else the host's")        \
    X(COMPARE, "op", "x y -- b: ==, !=, <, <=, >, >=")                                                 \
    X(COMPARE_CONST, "op,k", "x -- b: compared with a constant")                                       \
    X(VAR_COMPARE_CONST, "var,k", "-- b: a declared variable compared with a constant")                \
    X(LOCAL_COMPARE_CONST, "slot,k", "-- b: a variable of a comprehension compared with a constant")   \
    X(FIELD_COMPARE_CONST, "field,k,object,n", "o -- b: a field compared with a constant")             \
    X(IN_SET, "k", "x -- b: in a constant list, hashed")                                               \
    X(NOT, "", "b -- b: logical not")                                                                  \
    X(AND_SHORT, "to", "b -- b: jump if false")                                                        \
    X(AND, "", "b c -- b: false > unknown > error > true")                                             \
    X(OR_SHORT, "to", "b -- b: jump if true")                                                          \
    X(OR, "", "b c -- b: true > unknown > error > false")                                              \
    X(BRANCH, "else,end", "b -- : true: go on; false: to else; odd: keep it, to end")                  \
    X(JUMP, "to", "-- : jump")                                                                         \
    X(OPT_OR, "to", "opt -- opt: jump if it has a value (or is odd), else drop it")                    \
    X(OPT_OR_VALUE, "to", "opt -- v: jump with its value if it has one, else drop it")                 \
    X(NOT_STRICTLY_FALSE, "", "b -- b: true unless false")                                             \
    X(FOLD_START, "slot,end", "range -- range i accu: jump with it if it cannot be iterated")          \
    X(FOLD_NEXT, "slot,result", "-- : next element into the iteration variables, or jump")             \
    X(FOLD_TEST, "slot,result", "b -- : jump if false")                                                \
    X(FOLD_STEP, "slot,next", "v -- : v becomes the accumulator; jump to the next element")            \
    X(FOLD_ANY, "slot,next,result", "b -- : accumulator || b; jump to the result if true, else next")  \
    X(FOLD_ALL, "slot,next,result", "b -- : accumulator && b; jump to the result if false, else next") \
    X(FOLD_END, "slot", ".. v -- v: drops the comprehension's slots")                                  \
    X(APPEND, "slot", "v -- list: accumulator + [v], amortised")                                       \
    X(INSERT, "slot", "k v -- map: accumulator with one entry more, amortised")

typedef enum cel_opcode {
#define X(name, operands, meaning) OP_##name,
    CEL_OPCODE_LIST(X)
#undef X
        OP_COUNT
} cel_opcode;

#endif
