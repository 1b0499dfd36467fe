// JSON text to Value and back; the writing is byte for byte what Go's encoding/json writes.
//
// Users see this text in `workflow.failures`, `{{=toJson(x)}}` and outputs, so it has to be Go's:
// `<`, `>`, `&`, U+2028 and U+2029 escaped, floats in Go's format, invalid UTF-8 replaced by
// U+FFFD. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::value {

enum class KeyOrder { kAsGiven, kSorted };

/// How to_json lays its text out; `indent` 0 is one line without blanks, else that many blanks a
/// level.
struct JsonStyle {
  KeyOrder key_order = KeyOrder::kSorted;
  int indent = 0;
  bool escape_html = true;
};

/// The JSON text of `v`. Go's json.Marshal by default. NaN and infinities are written as null.
[[nodiscard]] std::string to_json(const Value& v, JsonStyle style = {});

/// Appends the same text to `out`.
void append_json(std::string& out, const Value& v, JsonStyle style = {});

/// Appends `text` to `out` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text, bool escape_html = true);

/// A float as Go's encoding/json prints it (shortest form, exponent below 1e-6 and from 1e21 on).
[[nodiscard]] std::string float_to_json(double d);

/// Parses one JSON document. Numbers without fraction or exponent that fit become ints, the rest
/// floats. Errors: kInvalidManifest with the reader's message; duplicate keys: the last one wins,
/// as in Go. Members of these names, wherever they are, are left out with all that is in them: of
/// large objects of which little is wanted.
[[nodiscard]] diag::Result<Value> parse_json(std::string_view text,
                                             std::span<const std::string_view> left_out = {});

}  // namespace tiphys::value
