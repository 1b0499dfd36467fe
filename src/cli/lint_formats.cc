#include "cli/lint_formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <tuple>

#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::List;
using value::Map;
using value::Value;

std::string text_of(const diag::Diagnostic& d) {
  return d.suggestion.empty() ? d.error.message : d.error.message + "; " + d.suggestion;
}

const char* severity_of(const diag::Diagnostic& d) {
  return d.severity == diag::Severity::kError ? "error" : "warning";
}

// A word for the class of a finding, by which other programs group and silence them.
const char* rule_of(diag::Code code) {
  switch (code) {
    case diag::Code::kBadExpression:
      return "expression";
    case diag::Code::kMissingVariable:
      return "variable";
    case diag::Code::kNotFound:
      return "reference";
    case diag::Code::kInvalidManifest:
    case diag::Code::kAlreadyExists:
    case diag::Code::kConflict:
    case diag::Code::kIo:
    case diag::Code::kDamaged:
    case diag::Code::kInternal:
      return "manifest";
  }
  return "manifest";
}

std::string printed(const Value& v) {
  return value::to_json(v, {.key_order = value::KeyOrder::kAsGiven, .indent = 2}) + "\n";
}

std::string as_json(const std::vector<diag::Diagnostic>& findings) {
  List list;
  for (const diag::Diagnostic& d : findings) {
    Map m{{"file", d.error.at.file},       {"line", d.error.at.line},
          {"column", d.error.at.column},   {"severity", severity_of(d)},
          {"rule", rule_of(d.error.code)}, {"message", d.error.message}};
    if (!d.suggestion.empty()) m.set("suggestion", d.suggestion);
    list.emplace_back(std::move(m));
  }
  return printed(list);
}

// A path as a URI takes it.
std::string as_uri(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool is_plain = (std::isalnum(static_cast<unsigned char>(c)) != 0) ||
                          std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string_view::npos;
    out += is_plain ? std::string(1, c)
                    : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string as_sarif(const std::vector<diag::Diagnostic>& findings) {
  List results;
  for (const diag::Diagnostic& d : findings) {
    Map place{{"artifactLocation", Map{{"uri", as_uri(d.error.at.file)}}}};
    if (d.error.at.is_known()) {
      place.set("region", Map{{"startLine", d.error.at.line}, {"startColumn", d.error.at.column}});
    }
    Map result{{"ruleId", rule_of(d.error.code)},
               {"level", severity_of(d)},
               {"message", Map{{"text", text_of(d)}}}};
    if (!d.error.at.file.empty()) {
      result.set("locations", List{Map{{"physicalLocation", std::move(place)}}});
    }
    results.emplace_back(std::move(result));
  }
  List rules;
  for (const char* rule : {"expression", "manifest", "reference", "variable"}) {
    rules.emplace_back(Map{{"id", rule}});
  }
  const Map run{{"tool", Map{{"driver", Map{{"name", "tiphys"}, {"rules", std::move(rules)}}}}},
                {"results", std::move(results)}};
  return printed(Map{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                     {"version", "2.1.0"},
                     {"runs", List{run}}});
}

// Property values escape more than messages do.
std::string escaped(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : text) {
    const bool is_special =
        c == '%' || c == '\r' || c == '\n' || (is_property && (c == ':' || c == ','));
    if (is_special) {
      out += fmt::format("%{:02X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string as_annotations(const std::vector<diag::Diagnostic>& findings) {
  std::string out;
  for (const diag::Diagnostic& d : findings) {
    std::string place;
    if (!d.error.at.file.empty()) place = fmt::format(" file={}", escaped(d.error.at.file, true));
    if (d.error.at.is_known()) {
      place += fmt::format(",line={},col={}", d.error.at.line, d.error.at.column);
    }
    out += fmt::format("::{}{}::{}\n", severity_of(d), place, escaped(text_of(d), false));
  }
  return out;
}

}  // namespace

bool is_lint_format(std::string_view format) {
  return format == "json" || format == "sarif" || format == "github";
}

std::string format_findings(std::string_view format, std::vector<diag::Diagnostic> findings) {
  std::ranges::stable_sort(findings, [](const diag::Diagnostic& a, const diag::Diagnostic& b) {
    const diag::Position& x = a.error.at;
    const diag::Position& y = b.error.at;
    return std::tie(x.file, x.line, x.column) < std::tie(y.file, y.line, y.column);
  });
  if (format == "json") return as_json(findings);
  return format == "sarif" ? as_sarif(findings) : as_annotations(findings);
}

}  // namespace tiphys::cli
