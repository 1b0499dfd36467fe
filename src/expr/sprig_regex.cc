// sprig's functions on regular expressions (RE2, whose syntax Go's regexp follows).
#include <re2/re2.h>

#include "expr/builtin_table.h"
#include "expr/sprig_table.h"
#include "expr/unicode.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

class Pattern {
 public:
  explicit Pattern(const std::string& text) : re_(text, RE2::Quiet) {}

  /// Accounts for the pattern, and for one search in `text`.
  [[nodiscard]] diag::Result<void> check(std::string_view text, CallContext& context) const {
    if (!re_.ok()) return bad_expression("error parsing regexp: " + re_.error());
    constexpr std::uint64_t kSteps = 500;  // what it takes to compile a small one
    constexpr std::uint64_t kAtOnce = 64;  // of the text times the pattern, usually more
    const auto size = static_cast<std::uint64_t>(re_.ProgramSize());
    return context.work(kSteps + size + text.size() * size / kAtOnce);
  }

  [[nodiscard]] const RE2& re() const { return re_; }

  // Calls `use` with the groups of each match, at most `most` (-1: all). An empty match right
  // behind the match before does not count, as in Go.
  template <class Use>
  [[nodiscard]] diag::Result<void> each_match(std::string_view text, std::int64_t most,
                                              CallContext& context, Use use) const {
    constexpr std::size_t kAtOnce = 24;  // bytes that a search passes in the time of a step
    const auto groups = static_cast<std::size_t>(re_.NumberOfCapturingGroups()) + 1;
    std::vector<re2::StringPiece> match(groups);
    const re2::StringPiece input(text.data(), text.size());
    std::size_t from = 0;
    std::size_t last_end = std::string::npos;
    for (std::int64_t i = 0; i != most && from <= text.size();) {
      if (!re_.Match(input, from, text.size(), RE2::UNANCHORED, match.data(),
                     static_cast<int>(groups))) {
        break;
      }
      TRY_VOID(context.work(1 + (text.size() - from) / kAtOnce));
      const auto start = static_cast<std::size_t>(match[0].data() - text.data());
      const std::size_t end = start + match[0].size();
      const bool counts = !match[0].empty() || start != last_end;
      if (counts) {
        use(start, end, match);
        ++i;
      }
      last_end = end;
      from = end > start ? end : end + step(text, end);
    }
    return {};
  }

 private:
  static std::size_t step(std::string_view text, std::size_t at) {
    return at < text.size() ? decode_rune(text.substr(at)).length : 1;
  }

  RE2 re_;
};

using Groups = std::vector<re2::StringPiece>;

// Errors of a pattern: regexMatch takes it for "no match", all others fail.
Value must_match(Arguments a, CallContext& context) {
  const Pattern pattern(a[0].as_string());
  TRY_VOID(pattern.check(a[1].as_string(), context));
  return RuntimeValue(RE2::PartialMatch(a[1].as_string(), pattern.re()));
}

Value match(Arguments a, CallContext& context) {
  auto matched = must_match(a, context);
  TRY_VOID(context.work(0));
  return matched.value_or(RuntimeValue(false));
}

Value find(Arguments a, CallContext& context) {
  const Pattern pattern(a[0].as_string());
  TRY_VOID(pattern.check(a[1].as_string(), context));
  std::string out;
  const std::string& text = a[1].as_string();
  TRY_VOID(
      pattern.each_match(text, 1, context, [&](std::size_t start, std::size_t end, const Groups&) {
        out = text.substr(start, end - start);
      }));
  return RuntimeValue(std::move(out));
}

Value find_all(Arguments a, CallContext& context) {
  const Pattern pattern(a[0].as_string());
  TRY_VOID(pattern.check(a[1].as_string(), context));
  Items out;
  const std::string& text = a[1].as_string();
  TRY_VOID(pattern.each_match(text, a[2].as_integer(), context,
                              [&](std::size_t start, std::size_t end, const Groups&) {
                                out.emplace_back(text.substr(start, end - start));
                              }));
  if (out.empty()) return RuntimeValue::nil_list(Type::kListString);
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue::list(std::move(out), Type::kListString);
}

bool is_name_character(char32_t c) { return c == U'_' || is_letter(c) || is_decimal_digit(c); }

// The group's index, for a number or a name; -1 when there is none.
int group_index(const RE2& re, std::string_view name) {
  if (name.find_first_not_of("0123456789") == std::string_view::npos) {
    if (name.size() > 8 || (name.size() > 1 && name[0] == '0')) return -1;
    const int index = std::stoi(std::string(name));
    return index <= re.NumberOfCapturingGroups() ? index : -1;
  }
  const auto& names = re.NamedCapturingGroups();
  const auto found = names.find(std::string(name));
  return found == names.end() ? -1 : found->second;
}

// Appends Go's template: $1, $name (the longest name), ${name}, $$.
void expand(std::string& out, std::string_view to, const RE2& re, const Groups& groups) {
  while (!to.empty()) {
    const std::size_t dollar = to.find('$');
    out += to.substr(0, dollar);
    if (dollar == std::string_view::npos) return;
    to.remove_prefix(dollar + 1);
    if (to.starts_with('$')) {
      out += '$';
      to.remove_prefix(1);
      continue;
    }
    const bool braced = to.starts_with('{');
    std::size_t end = braced ? 1 : 0;
    const std::size_t start = end;
    while (end < to.size() && is_name_character(decode_rune(to.substr(end)).code)) {
      end += decode_rune(to.substr(end)).length;
    }
    if (end == start || (braced && (end == to.size() || to[end] != '}'))) {
      out += '$';  // no name: the dollar stands for itself
      continue;
    }
    const int index = group_index(re, to.substr(start, end - start));
    if (index >= 0) out.append(std::string_view(groups[static_cast<std::size_t>(index)]));
    to.remove_prefix(braced ? end + 1 : end);
  }
}

Value replaced(Arguments a, bool literal, CallContext& context) {
  const Pattern pattern(a[0].as_string());
  TRY_VOID(pattern.check(a[1].as_string(), context));
  std::string out;
  std::size_t copied = 0;
  const std::string& text = a[1].as_string();
  const std::string& to = a[2].as_string();
  const auto use = [&](std::size_t start, std::size_t end, const Groups& groups) {
    if (out.size() > CallContext::kMaxText) return;  // no budget allows as much
    out.append(text, copied, start - copied);
    if (literal) {
      out += to;
    } else {
      expand(out, to, pattern.re(), groups);
    }
    copied = end;
  };
  TRY_VOID(pattern.each_match(text, -1, context, use));
  out.append(text, copied);
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue(std::move(out));
}

Value replace_matches(Arguments a, CallContext& context) { return replaced(a, false, context); }
Value replace_literal(Arguments a, CallContext& context) { return replaced(a, true, context); }

Value split(Arguments a, CallContext& context) {
  const Pattern pattern(a[0].as_string());
  TRY_VOID(pattern.check(a[1].as_string(), context));
  const std::string& text = a[1].as_string();
  const std::int64_t most = a[2].as_integer();
  if (most == 0) return RuntimeValue::nil_list(Type::kListString);
  if (!a[0].as_string().empty() && text.empty()) return RuntimeValue::strings({""});
  std::vector<std::string> out;
  std::size_t begin = 0;
  std::size_t last_end = 0;
  const auto use = [&](std::size_t start, std::size_t end, const Groups&) {
    if (most > 0 && static_cast<std::int64_t>(out.size()) == most - 1) return;
    last_end = start;
    if (end != 0) out.push_back(text.substr(begin, last_end - begin));
    begin = end;
  };
  TRY_VOID(pattern.each_match(text, most, context, use));
  if (last_end != text.size()) out.push_back(text.substr(begin));
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue::strings(out);
}

Value quote_meta(Arguments a, CallContext&) {
  constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
  std::string out;
  for (const char c : a[0].as_string()) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return RuntimeValue(std::move(out));
}

constexpr std::array kTextTextIntTypes = {Type::kString, Type::kString, Type::kInt};
constexpr std::array kTextTextInt = {Signature{kTextTextIntTypes, false, Type::kAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"mustRegexFind", sig::kText2, find, "as regexFind"},
    {"mustRegexFindAll", kTextTextInt, find_all, "as regexFindAll"},
    {"mustRegexMatch", sig::kText2, must_match, "as regexMatch, but fails for a bad pattern"},
    {"mustRegexReplaceAll", sig::kText3, replace_matches, "as regexReplaceAll"},
    {"mustRegexReplaceAllLiteral", sig::kText3, replace_literal, "as regexReplaceAllLiteral"},
    {"mustRegexSplit", kTextTextInt, split, "as regexSplit"},
    {"regexFind", sig::kText2, find, "the first match, or empty text"},
    {"regexFindAll", kTextTextInt, find_all, "the first matches, -1 for all"},
    {"regexMatch", sig::kText2, match, "does the pattern match anywhere in the text"},
    {"regexQuoteMeta", sig::kText, quote_meta, "a pattern that matches just this text"},
    {"regexReplaceAll", sig::kText3, replace_matches, "matches replaced, ${1} is a group"},
    {"regexReplaceAllLiteral", sig::kText3, replace_literal, "matches replaced by just this text"},
    {"regexSplit", kTextTextInt, split, "the parts between matches"},
});

}  // namespace

std::span<const Builtin> sprig_regex_rows() { return kRows; }

}  // namespace tiphys::expr
