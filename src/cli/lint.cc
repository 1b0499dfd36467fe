#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "cli/channels.h"
#include "cli/check.h"
#include "cli/commands.h"
#include "cli/lint_formats.h"
#include "cli/rules.h"
#include "diag/render.h"

namespace tiphys::cli {

namespace {

/// The kinds that lint looks at, and argo's words for them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kKinds = {
    {{"workflows", "Workflow"},
     {"workflowtemplates", "WorkflowTemplate"},
     {"cronworkflows", "CronWorkflow"},
     {"clusterworkflowtemplates", "ClusterWorkflowTemplate"},
     {"notifications", "Notification"},
     {"notificationchannels", "NotificationChannel"}}};

diag::Result<std::vector<std::string>> wanted_kinds(const LintFlags& o) {
  std::vector<std::string> kinds;
  for (const std::string& word : o.kinds) {
    const auto* it = std::ranges::find(kKinds, word, &decltype(kKinds)::value_type::first);
    if (it == kKinds.end() && word != "all") {
      return wrong_usage(
          fmt::format("unknown kind '{}': want workflows, workflowtemplates, cronworkflows, "
                      "clusterworkflowtemplates, notifications, notificationchannels or all",
                      word));
    }
    if (it != kKinds.end()) kinds.emplace_back(it->second);
  }
  if (std::ranges::find(o.kinds, "all") != o.kinds.end()) kinds.clear();
  if (!kinds.empty()) return kinds;
  for (const auto& [word, kind] : kKinds) kinds.emplace_back(kind);
  return kinds;
}

/// A document, as findings are told to belong to it: also one that could not be taken.
struct Owner {
  std::string title;  // in "NAME" (Kind)
  std::string kind;
  diag::Position at;
};

/// The owners of each file, in its order.
using Owners = std::map<std::string, std::vector<Owner>>;

Owners owners_in(const Documents& documents) {
  Owners owners;
  for (const Source& s : documents.sources) {
    std::vector<diag::Diagnostic> ignored;
    int count = 0;
    for (const spec::Manifest& m :
         spec::load_manifests(s.text, s.file, ignored, spec::UnknownFields::kWarning)) {
      ++count;
      const std::string name = !m.name.empty()            ? fmt::format("\"{}\"", m.name)
                               : !m.generate_name.empty() ? fmt::format("\"{}\"", m.generate_name)
                                                          : fmt::format("object #{}", count);
      if (m.positions) {
        owners[s.file].push_back(
            {fmt::format("in {} ({})", name, m.kind), m.kind, m.positions->value("")});
      }
    }
  }
  return owners;
}

// The last document of the file that begins before the finding; else the first.
const Owner* owner_of(const Owners& owners, const diag::Diagnostic& finding) {
  const auto file = owners.find(finding.error.at.file);
  if (file == owners.end()) return nullptr;
  const auto next = std::ranges::upper_bound(file->second, finding.error.at.line, {},
                                             [](const Owner& owner) { return owner.at.line; });
  return next == file->second.begin() ? &*next : &*std::prev(next);
}

std::string cause_of(const diag::Diagnostic& d) {
  return d.suggestion.empty() ? d.error.message : d.error.message + "; " + d.suggestion;
}

/// The errors of the files as argo prints them, for scripts that read its two forms.
class ArgoReport {
 public:
  ArgoReport(const Documents& documents, const Owners& owners, bool is_simple, bool color)
      : documents_(documents), owners_(owners), is_simple_(is_simple), color_(color) {}

  [[nodiscard]] std::string text(bool has_linted) const {
    std::string out;
    std::size_t errors = 0;
    for (const Source& s : documents_.sources) errors += add_file(out, s.file);
    errors += add_file(out, "");  // what has no place
    if (is_simple_) return out;
    if (errors > 0)
      return out + paint(31, fmt::format("✖ {} linting errors found!", errors)) + "\n";
    if (has_linted) return out + paint(32, "✔") + " no linting errors found!\n";
    return out + paint(31, "✖ found nothing to lint in the specified paths, failing...") + "\n";
  }

 private:
  [[nodiscard]] std::string paint(int code, const std::string& text) const {
    return color_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }

  std::size_t add_file(std::string& out, const std::string& file) const {
    std::size_t errors = 0;
    for (const diag::Diagnostic& d : documents_.findings) {
      if (d.severity != diag::Severity::kError || d.error.at.file != file) continue;
      const Owner* owner = owner_of(owners_, d);
      const std::string cause = owner == nullptr ? cause_of(d) : owner->title + ": " + cause_of(d);
      if (is_simple_) {
        out += fmt::format("{}: {}\n", file, cause);
      } else {
        if (errors == 0) out += paint(4, file) + ":\n";
        out += fmt::format("   {} {}\n", paint(31, "✖"), cause);
      }
      ++errors;
    }
    if (errors > 0 && !is_simple_) out += "\n";
    return errors;
  }

  const Documents& documents_;
  const Owners& owners_;
  bool is_simple_;
  bool color_;
};

std::string counted(std::ptrdiff_t count, const char* word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string with_lines(const Documents& documents, std::ptrdiff_t linted, bool color) {
  const auto text = [&](const std::string& file) { return text_of(documents, file); };
  const std::string out = diag::render_all(documents.findings, text, {.color = color});
  const auto all = std::ssize(documents.findings);
  const auto errors = std::ranges::count_if(documents.findings, [](const diag::Diagnostic& d) {
    return d.severity == diag::Severity::kError;
  });
  if (all > 0) {
    return out + counted(errors, "error") + ", " + counted(all - errors, "warning") + "\n";
  }
  if (linted == 0) return "nothing to lint in the given files\n";
  return fmt::format("no problems found in {}\n", counted(linted, "manifest"));
}

// Checks all, since documents refer to each other; keeps the findings of the wanted kinds.
diag::Result<void> collect(Documents& documents, const Owners& owners,
                           const std::vector<std::string>& kinds, const LintFlags& o,
                           const Session& session) {
  Opened state;
  lint::FindStored find_stored;
  if (!o.is_offline) {
    TRY(state, open_state());
    find_stored = stored_finder(*state.store, session.space());
  }
  for (diag::Diagnostic& d : lint::check(
           {.manifests = documents.manifests,
            .find_stored = find_stored,
            .options = {.warn_of_unused = true,
                        .has_cluster = state.config.executor == executor::ExecutorKind::kKubernetes,
                        .host_path_problem = o.is_offline ? lint::HostPathProblem()
                                                          : host_path_problem(state.config)}})) {
    documents.findings.push_back(std::move(d));
  }
  for (diag::Diagnostic& d : rule_findings(documents, state.store.get(), session.space(), false)) {
    documents.findings.push_back(std::move(d));
  }
  for (auto find : {channel_mistakes, plain_secrets}) {
    for (diag::Diagnostic& d : find(documents)) documents.findings.push_back(std::move(d));
  }
  if (!o.is_offline) {
    for (diag::Diagnostic& d :
         missing_secrets(documents, state.config.secrets_path(), session.space())) {
      documents.findings.push_back(std::move(d));
    }
  }
  std::erase_if(documents.findings, [&](const diag::Diagnostic& d) {
    const Owner* owner = owner_of(owners, d);
    return owner != nullptr && std::ranges::find(kinds, owner->kind) == kinds.end() &&
           !o.kinds.empty();
  });
  return {};
}

}  // namespace

diag::Result<void> lint_files(const LintFlags& o, Session& session) {
  const bool is_argos = o.output.empty() || o.output == "simple" || o.output == "pretty";
  if (!is_argos && !is_lint_format(o.output)) {
    return wrong_usage(fmt::format(
        "unknown output format '{}': want pretty, simple, json, sarif or github", o.output));
  }
  TRY(const auto kinds, wanted_kinds(o));
  TRY(Documents documents, read_documents(o.files, o.is_strict ? spec::UnknownFields::kError
                                                               : spec::UnknownFields::kWarning));
  const Owners owners = owners_in(documents);
  TRY_VOID(collect(documents, owners, kinds, o, session));
  std::ptrdiff_t linted = 0;
  for (const auto& [file, in_file] : owners) {
    linted += std::ranges::count_if(in_file, [&](const Owner& owner) {
      return std::ranges::find(kinds, owner.kind) != kinds.end();
    });
  }
  const bool color = session.color();
  print_text(!is_argos ? format_findings(o.output, documents.findings)
             : o.output.empty()
                 ? with_lines(documents, linted, color)
                 : ArgoReport(documents, owners, o.output == "simple", color).text(linted > 0));
  if (documents.has_errors() || linted == 0) session.exit_code = 1;
  return {};
}

void add_lint(Command app, Session& session) {
  auto o = std::make_shared<LintFlags>();
  const Command command =
      add_command(app, "lint", "check manifests: errors, and hooks that cannot fire", session,
                  [o, &session] { return lint_files(*o, session); });
  command.add_option("FILE", o->files, "files or folders; - is stdin").required();
  command.add_option("-o,--output", o->output,
                     "pretty or simple, as argo prints them; json, sarif, github");
  command
      .add_option("--kinds", o->kinds,
                  "only these: workflows, workflowtemplates, cronworkflows, "
                  "clusterworkflowtemplates")
      .split_at_commas();
  command.add_flag("--offline", o->is_offline, "look for templates in the given files only");
  command.add_flag("--strict", o->is_strict, "unknown fields are errors (default true)");
}

}  // namespace tiphys::cli
