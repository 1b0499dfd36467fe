// The parts of sprig's table, by kind, and the conversions that they share.
//
// The parts are apart only to keep files short: sprig_functions() merges them. Pure.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/builtins.h"

namespace tiphys::expr {

[[nodiscard]] std::span<const Builtin> sprig_text_rows();
[[nodiscard]] std::span<const Builtin> sprig_case_rows();
[[nodiscard]] std::span<const Builtin> sprig_list_rows();
[[nodiscard]] std::span<const Builtin> sprig_dict_rows();
[[nodiscard]] std::span<const Builtin> sprig_default_rows();
[[nodiscard]] std::span<const Builtin> sprig_number_rows();
[[nodiscard]] std::span<const Builtin> sprig_date_rows();
[[nodiscard]] std::span<const Builtin> sprig_regex_rows();
[[nodiscard]] std::span<const Builtin> sprig_encoding_rows();
[[nodiscard]] std::span<const Builtin> sprig_path_rows();
[[nodiscard]] std::span<const Builtin> sprig_url_rows();
[[nodiscard]] std::span<const Builtin> sprig_semver_rows();
[[nodiscard]] std::span<const Builtin> sprig_random_rows();
[[nodiscard]] std::span<const Builtin> sprig_crypto_rows();

using SprigValue = diag::Result<RuntimeValue>;

/// A value as sprig's text functions see it: text as it is, else as Go's %v prints it.
[[nodiscard]] std::string sprig_text(const RuntimeValue& v);
/// A list as texts, without its nil elements; a single value is a list of one.
[[nodiscard]] std::vector<std::string> sprig_texts(const RuntimeValue& v);
/// sprig's "empty": nil, false, 0, and texts, lists and maps of length 0. Times never are.
[[nodiscard]] bool sprig_empty(const RuntimeValue& v);
/// spf13/cast v1.10 as sprig uses it: what cannot be converted is 0.
[[nodiscard]] std::int64_t cast_to_int(const RuntimeValue& v);
[[nodiscard]] double cast_to_float(const RuntimeValue& v);
/// Go's name of the value's kind: `slice`, `map`, `invalid` (nil) ...
[[nodiscard]] std::string_view kind_name(const RuntimeValue& v);
/// The elements of a list, array or []byte, each with its own type. Errors: kBadExpression "Cannot
/// VERB on type KIND" for other values.
[[nodiscard]] diag::Result<Items> sprig_items(const RuntimeValue& v, std::string_view verb);
/// `text` in parts between `separator` ("" parts at each character), at most `most` parts (-1:
/// all), as Go's strings.SplitN.
[[nodiscard]] std::vector<std::string> split_text(std::string_view text, std::string_view separator,
                                                  std::int64_t most);
/// All occurrences of `from` replaced, as Go's strings.ReplaceAll.
[[nodiscard]] std::string replace_all(std::string_view text, std::string_view from,
                                      std::string_view to);

/// The next random number; the first one of an evaluation seeds the generator with the clock.
[[nodiscard]] std::uint64_t draw(CallContext& context);

// Signatures that several parts use.
namespace sprig_signature {
inline constexpr std::array kString = {Type::kString};
inline constexpr std::array kTwoStrings = {Type::kString, Type::kString};
inline constexpr std::array kThreeStrings = {Type::kString, Type::kString, Type::kString};
inline constexpr std::array kAnyParameter = {Type::kAny};
inline constexpr std::array kTwoAny = {Type::kAny, Type::kAny};
inline constexpr std::array kStringAny = {Type::kString, Type::kAny};
inline constexpr std::array kIntString = {Type::kInt, Type::kString};
inline constexpr std::array kMapParameter = {Type::kMapStringAny};
inline constexpr std::array kTwoMaps = {Type::kMapStringAny, Type::kMapStringAny};

inline constexpr std::array kNothing = {Signature{{}, false, Type::kAny}};
inline constexpr std::array kText = {Signature{kString, false, Type::kAny}};
inline constexpr std::array kText2 = {Signature{kTwoStrings, false, Type::kAny}};
inline constexpr std::array kText3 = {Signature{kThreeStrings, false, Type::kAny}};
inline constexpr std::array kOne = {Signature{kAnyParameter, false, Type::kAny}};
inline constexpr std::array kTwo = {Signature{kTwoAny, false, Type::kAny}};
inline constexpr std::array kMany = {Signature{kAnyParameter, true, Type::kAny}};
inline constexpr std::array kOneAndMany = {Signature{kTwoAny, true, Type::kAny}};
inline constexpr std::array kTextAndAny = {Signature{kStringAny, false, Type::kAny}};
inline constexpr std::array kIntAndText = {Signature{kIntString, false, Type::kAny}};
inline constexpr std::array kMap = {Signature{kMapParameter, false, Type::kAny}};
inline constexpr std::array kMaps = {Signature{kMapParameter, true, Type::kAny}};
inline constexpr std::array kMapAndMaps = {Signature{kTwoMaps, true, Type::kAny}};
}  // namespace sprig_signature

}  // namespace tiphys::expr
