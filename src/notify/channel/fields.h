// The fields of a channel's configuration and of a message for it, as tables that are checked.
//
// A misspelled field would otherwise be a notification that is not what its author wanted, seen
// when it is needed most. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::notify {

enum class FieldKind {
  kText,     // a text or a number; in a configuration also {secretKeyRef: {name, key}}
  kUrl,      // a text of the form http://... or https://...
  kPlain,    // a text or a number that cannot be secret
  kBool,     // true or false, also as text, as parameters give it
  kTexts,    // a list of texts, or one text with commas or blanks between; not secret
  kSecrets,  // a text or a list of texts, each of which may be secret
  kTextMap,  // names with a kText each
  kList,
  kMap,
  kAny,
};

struct Field {
  std::string_view name;
  FieldKind kind = FieldKind::kText;
  bool is_required = false;
  std::string_view choices = {};  // the texts that are allowed, with blanks between; empty: any
};

/// `v` as the checks and channels want it: members that are "" are left out, since that is what a
/// template's parameter gives when nobody set it; and a list or map may be given as JSON text.
[[nodiscard]] value::Value settled_fields(const value::Value& v, std::span<const Field> fields);

/// What is wrong with the map `v`, each with the field's name: `url: required`. Fields that are in
/// none of the tables are wrong only with `Unknown::kRefused`.
enum class Unknown { kAllowed, kRefused };
[[nodiscard]] std::vector<std::string> check_fields(const value::Value& v,
                                                    std::span<const Field> fields, Unknown unknown);

/// A text or number as text; "" when there is none (or a secret that is still a reference).
[[nodiscard]] std::string text_in(const value::Value& v, std::string_view name);
/// The field of the message, or, when it has none, of the configuration.
[[nodiscard]] const value::Value& either(const value::Value& message, const value::Value& config,
                                         std::string_view name);
/// A kBool field.
[[nodiscard]] bool flag_in(const value::Value& v, std::string_view name, bool otherwise);
/// A kTexts or kSecrets field: the items of a list as they are; for kTexts, a text is taken apart
/// at commas, semicolons, blanks and line breaks. Nothing comes twice.
[[nodiscard]] std::vector<std::string> words_in(const value::Value& field);
[[nodiscard]] std::vector<std::string> texts_in(const value::Value& field);

/// True for `http://HOST...` and `https://HOST...` without blanks and control characters.
[[nodiscard]] bool is_http_url(std::string_view url);
/// True when it may be a header's value: no line breaks nor other control characters.
[[nodiscard]] bool is_header_text(std::string_view text);
/// True when it may be a header's name.
[[nodiscard]] bool is_header_name(std::string_view name);

}  // namespace tiphys::notify
