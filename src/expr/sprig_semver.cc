// sprig's functions on versions. (Masterminds/semver v3.5)
//
// A version is a map of bound functions: String(), Original(), Major(), Minor(), Patch(),
// Prerelease() and Metadata().
#include <re2/re2.h>

#include "expr/builtin_table.h"
#include "expr/number_text.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

constexpr std::string_view kSuffixes =
    R"((?:-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?(?:\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?)";

struct Version {
  std::array<std::int64_t, 3> numbers = {};
  std::string prerelease;
  std::string metadata;
};

diag::Result<Version> parse_version(const std::string& text) {
  static const RE2 pattern(R"(v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?)" + std::string(kSuffixes));
  constexpr std::size_t kLongest = 256;
  Version out;
  std::array<std::string, 3> numbers;
  if (text.size() > kLongest) return bad_expression("version string is too long (max 256 bytes)");
  if (!RE2::FullMatch(text, pattern, &numbers[0], &numbers[1], &numbers[2], &out.prerelease,
                      &out.metadata)) {
    return bad_expression("invalid semantic version");
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = parse_decimal(numbers[i].empty() ? "0" : numbers[i]);
    if (!number) return bad_expression("error parsing version segment: value out of range");
    out.numbers[i] = *number;
  }
  for (const std::string& part : split_text(out.prerelease, ".", -1)) {
    const bool numeric = part.find_first_not_of("0123456789") == std::string::npos;
    if (numeric && part.size() > 1 && part[0] == '0') {
      return bad_expression("version segment starts with 0");
    }
  }
  return out;
}

int sign(std::int64_t d) { return d < 0 ? -1 : d > 0 ? 1 : 0; }

// Numbers come before texts, and compare by value.
int compare_part(const std::string& a, const std::string& b) {
  const auto x = parse_decimal(a);
  const auto y = parse_decimal(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  if (x) return -1;
  if (y) return 1;
  return sign(a.compare(b));
}

int compare_prerelease(const std::string& a, const std::string& b) {
  if (a == b) return 0;
  if (a.empty()) return 1;  // a release comes after its prereleases
  if (b.empty()) return -1;
  const auto left = split_text(a, ".", -1);
  const auto right = split_text(b, ".", -1);
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (const int c = compare_part(left[i], right[i]); c != 0) return c;
  }
  return sign(static_cast<std::int64_t>(left.size()) - static_cast<std::int64_t>(right.size()));
}

int compare_versions(const Version& a, const Version& b) {
  for (std::size_t i = 0; i < a.numbers.size(); ++i) {
    if (a.numbers[i] != b.numbers[i]) return a.numbers[i] < b.numbers[i] ? -1 : 1;
  }
  return compare_prerelease(a.prerelease, b.prerelease);
}

// One condition: `>= 1.2`. `given` is how many of the three numbers it names (no x or *).
struct Condition {
  std::string op;
  Version limit;
  int given = 3;

  [[nodiscard]] bool holds(const Version& v) const;

 private:
  [[nodiscard]] bool same(const Version& v, std::size_t i) const {
    return v.numbers[i] == limit.numbers[i];
  }
  [[nodiscard]] bool tilde(const Version& v) const;
  [[nodiscard]] bool caret(const Version& v) const;
  [[nodiscard]] bool differs(const Version& v) const;
  [[nodiscard]] bool greater(const Version& v) const;
  [[nodiscard]] bool at_most(const Version& v) const;
};

bool Condition::tilde(const Version& v) const {
  if (compare_versions(v, limit) < 0) return false;
  const bool zero = limit.numbers == std::array<std::int64_t, 3>{};
  if (zero && (given == 3 || given == 0)) return true;
  return same(v, 0) && (same(v, 1) || given == 1);
}

bool Condition::caret(const Version& v) const {
  if (compare_versions(v, limit) < 0) return false;
  if (limit.numbers[0] > 0 || given == 1) return same(v, 0);
  if (v.numbers[0] > 0) return false;
  if (limit.numbers[1] > 0 || given == 2) return same(v, 1);
  return v.numbers[1] == 0 && same(v, 2);
}

bool Condition::differs(const Version& v) const {
  if (given == 3) return compare_versions(v, limit) != 0;
  if (!same(v, 0)) return true;
  if (!same(v, 1) && given != 1) return true;
  if (given == 1) return false;
  if (given == 2) return compare_prerelease(v.prerelease, limit.prerelease) != 0;
  return !same(v, 2) || compare_versions(v, limit) != 0;
}

bool Condition::greater(const Version& v) const {
  if (given == 3 || given == 0) return compare_versions(v, limit) > 0;
  if (!same(v, 0)) return v.numbers[0] > limit.numbers[0];
  return given == 2 && v.numbers[1] > limit.numbers[1];
}

bool Condition::at_most(const Version& v) const {
  if (given == 3) return compare_versions(v, limit) <= 0;
  if (v.numbers[0] > limit.numbers[0]) return false;
  return !(same(v, 0) && v.numbers[1] > limit.numbers[1] && given != 1);
}

bool Condition::holds(const Version& v) const {
  if (op == "!=") return differs(v);
  if (op == ">") return greater(v);
  if (op == "<") return compare_versions(v, limit) < 0;
  if (op == ">=" || op == "=>") return compare_versions(v, limit) >= 0;
  if (op == "<=" || op == "=<") return at_most(v);
  if (op == "^") return caret(v);
  if (op == "~" || op == "~>") return tilde(v);
  return given < 3 ? tilde(v) : compare_versions(v, limit) == 0;
}

const std::string& version_pattern() {
  static const std::string text =
      R"(v?([0-9|xX*]+)(?:\.([0-9|xX*]+))?(?:\.([0-9|xX*]+))?)" + std::string(kSuffixes);
  return text;
}
constexpr std::string_view kOperators = R"((!=|>=|=>|<=|=<|~>|=|>|<|~|\^|))";

diag::Result<Condition> parse_condition(const std::string& op,
                                        const std::array<std::string, 3>& numbers,
                                        const std::string& prerelease) {
  Condition out{.op = op, .limit = {}, .given = 0};
  const auto is_open = [](const std::string& n) {
    return n.empty() || n == "x" || n == "X" || n == "*";
  };
  std::string version;
  while (out.given < 3 && !is_open(numbers[static_cast<std::size_t>(out.given)])) {
    version += (out.given > 0 ? "." : "") + numbers[static_cast<std::size_t>(out.given)];
    ++out.given;
  }
  if (out.given == 0) version = "0.0.0";
  for (int i = std::max(out.given, 1); i < 3 && out.given != 0; ++i) version += ".0";
  if (!prerelease.empty()) version += "-" + prerelease;
  auto limit = parse_version(version);
  if (!limit) return bad_expression("constraint parser error");
  out.limit = *std::move(limit);
  return out;
}

// True if all conditions of a part between || hold.
diag::Result<bool> part_holds(const std::string& part, const Version& v) {
  static const std::string one = std::string(kOperators) + R"(\s*)" + version_pattern();
  static const RE2 next(R"([\s,]*)" + one + R"((\s*,\s*|\s+|$))");
  if (part.find_first_not_of(" \t\r\n") == std::string::npos) {
    return bad_expression("improper constraint: \"" + part + "\"");
  }
  std::vector<Condition> conditions;
  re2::StringPiece rest(part);
  bool names_prerelease = false;
  while (!rest.empty()) {
    std::string op;
    std::array<std::string, 3> numbers;
    std::string prerelease;
    if (!RE2::Consume(&rest, next, &op, &numbers[0], &numbers[1], &numbers[2], &prerelease)) {
      return bad_expression("improper constraint: \"" + part + "\"");
    }
    TRY(Condition condition, parse_condition(op, numbers, prerelease));
    names_prerelease = names_prerelease || !prerelease.empty();
    conditions.push_back(std::move(condition));
  }
  if (!v.prerelease.empty() && !names_prerelease) return false;
  for (const Condition& condition : conditions) {
    if (!condition.holds(v)) return false;
  }
  return true;
}

Value semver_compare(Arguments a, CallContext&) {
  constexpr std::size_t kLongest = 512;
  constexpr std::size_t kMostParts = 32;
  static const std::string end = R"([0-9xX*][0-9A-Za-z.*+\-]*)";
  static const RE2 range("(v?" + end + R"()\s+-\s+(v?)" + end + R"()\s*)");
  std::string text = a[0].as_string();
  if (text.size() > kLongest) {
    return bad_expression("constraint string is too long (max 512 bytes)");
  }
  RE2::GlobalReplace(&text, range, R"(>= \1, <= \2 )");
  const auto parts = split_text(text, "||", -1);
  if (parts.size() > kMostParts) return bad_expression("too many constraint groups (max 32)");
  const auto version = parse_version(a[1].as_string());
  bool out = false;
  const Version none;
  for (const std::string& part : text.empty() ? std::vector<std::string>{""} : parts) {
    TRY(const bool holds, part_holds(part, version ? *version : none));
    out = out || holds;
  }
  if (!version) return std::unexpected(version.error());
  return RuntimeValue(out);
}

// The methods; their first argument is the version's text.
template <class Get>
Value version_part(Arguments a, Get get) {
  TRY(const Version v, parse_version(a[0].as_string()));
  return RuntimeValue(get(v));
}

Value original(Arguments a, CallContext&) { return a[0]; }
Value major(Arguments a, CallContext&) {
  return version_part(a, [](const Version& v) { return v.numbers[0]; });
}
Value minor(Arguments a, CallContext&) {
  return version_part(a, [](const Version& v) { return v.numbers[1]; });
}
Value patch(Arguments a, CallContext&) {
  return version_part(a, [](const Version& v) { return v.numbers[2]; });
}
Value prerelease(Arguments a, CallContext&) {
  return version_part(a, [](const Version& v) { return v.prerelease; });
}
Value metadata(Arguments a, CallContext&) {
  return version_part(a, [](const Version& v) { return v.metadata; });
}
Value version_text(Arguments a, CallContext&) {
  return version_part(a, [](const Version& v) {
    std::string out = std::to_string(v.numbers[0]) + "." + std::to_string(v.numbers[1]) + "." +
                      std::to_string(v.numbers[2]);
    if (!v.prerelease.empty()) out += "-" + v.prerelease;
    if (!v.metadata.empty()) out += "+" + v.metadata;
    return out;
  });
}

constexpr std::array kMethods = std::to_array<Builtin>({
    {"Major", sig::kNothing, major, "the first number"},
    {"Metadata", sig::kNothing, metadata, "what stands after +"},
    {"Minor", sig::kNothing, minor, "the second number"},
    {"Original", sig::kNothing, original, "the text that was given"},
    {"Patch", sig::kNothing, patch, "the third number"},
    {"Prerelease", sig::kNothing, prerelease, "what stands after -"},
    {"String", sig::kNothing, version_text, "the version in full"},
});

Value semver(Arguments a, CallContext&) {
  TRY_VOID(parse_version(a[0].as_string()));
  Table out;
  const auto receiver = std::make_shared<const RuntimeValue>(a[0]);
  for (const Builtin& row : kMethods) {
    out.emplace(RuntimeValue(row.name), FunctionValue{.row = &row, .receiver = receiver});
  }
  return RuntimeValue::map(std::move(out));
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"semver", sig::kText, semver, "a version: .Major(), .Minor(), .Patch(), .Prerelease() ..."},
    {"semverCompare", sig::kText2, semver_compare, "does a version meet conditions"},
});

}  // namespace

std::span<const Builtin> sprig_semver_rows() { return kRows; }

}  // namespace tiphys::expr
