// Expressions, in tags and in fields of their own: those that cannot be read, names that are never
// there, types that do not fit.
#include <fmt/format.h>
#include <re2/re2.h>

#include <map>
#include <optional>

#include "expr/builtin_table.h"
#include "expr/program.h"
#include "lint/suspicious.h"
#include "spec/schema.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using diag::Diagnostic;
using expr::Known;
using value::Value;

namespace {

/// What the expressions of one template may read besides the workflow's variables.
class TemplateScope {
 public:
  /// `outer`: the template around an inline one; borrowed.
  TemplateScope(const Base& base, const Value& body, const TemplateScope* outer)
      : base_(base), outer_(outer) {
    for (const char* kind : {"parameters", "artifacts"}) {
      for (const Value& input : body["inputs"][kind].list()) {
        names_.add(fmt::format("inputs.{}.{}", kind, text(input, "name")));
      }
    }
    for (const Value& group : body["steps"].list()) {
      for (const Value& step : group.list()) add("steps", step);
    }
    for (const Value& task : body["dag"]["tasks"].list()) add("tasks", task);
  }

  /// Whether `name` (three segments: inputs.parameters.x; or two: steps.a) is there.
  [[nodiscard]] bool has(std::string_view name) const {
    return names_.has(name) || (outer_ != nullptr && outer_->has(name));
  }
  [[nodiscard]] bool is_loop(std::string_view name) const {
    return loops_.has(name) || (outer_ != nullptr && outer_->is_loop(name));
  }
  /// Whether the template of a step or task declares this output (outputs.parameters.x); true if
  /// that is not known. Else `fix` may suggest another one.
  [[nodiscard]] bool has_output(std::string_view node, std::string_view output,
                                std::string& fix) const {
    const auto found = called_.find(node);
    if (found == called_.end()) return outer_ == nullptr || outer_->has_output(node, output, fix);
    Names declared;
    for (const char* kind : {"parameters", "artifacts"}) {
      for (const Value& o : found->second["outputs"][kind].list()) {
        declared.add(fmt::format("outputs.{}.{}", kind, text(o, "name")));
      }
    }
    if (declared.has(output)) return true;
    const std::string near = declared.nearest(output);
    if (!near.empty()) fix = fmt::format("did you mean \"{}.{}\"?", node, near);
    return false;
  }
  [[nodiscard]] std::string nearest(std::string_view name) const {
    std::string near = names_.nearest(name);
    return near.empty() && outer_ != nullptr ? outer_->nearest(name) : near;
  }

 private:
  void add(const char* root, const Value& step) {
    const std::string name = fmt::format("{}.{}", root, text(step, "name"));
    names_.add(name);
    const bool is_loop = !step["withItems"].is_null() || !step["withParam"].is_null() ||
                         !step["withSequence"].is_null();
    if (is_loop) loops_.add(name);
    std::string pointer;
    const Value* body = step["inline"].is_map()
                            ? &step["inline"]
                            : base_.find_template(text(step, "template"), pointer);
    if (body != nullptr) called_.emplace(name, *body);
  }

  const Base& base_;
  const TemplateScope* outer_;
  Names names_;
  Names loops_;
  std::map<std::string, Value, std::less<>> called_;  // the templates of this object
};

constexpr std::string_view kRootWords[] = {
    "workflow", "inputs",   "outputs",           "steps",     "tasks",    "item",
    "pod",      "node",     "retries",           "lastRetry", "status",   "duration",
    "data",     "exitCode", "resourcesDuration", "payload",   "metadata", "cronworkflow",
    "request",  "response", "discriminator",     "sprig"};

/// The first `count` segments of a dotted name.
std::string_view segments(std::string_view name, int count) {
  std::size_t end = 0;
  for (; count > 0 && end != std::string_view::npos; --count) {
    end = name.find('.', end == 0 ? 0 : end + 1);
  }
  return name.substr(0, end);
}

std::string_view after(std::string_view name, std::string_view head) {
  return name.substr(std::min(head.size() + 1, name.size()));
}

const std::vector<std::string_view> kRetryWords = {"lastRetry",         "lastRetry.exitCode",
                                                   "lastRetry.status",  "lastRetry.duration",
                                                   "lastRetry.message", "retries"};

/// Where an expression stands, which decides what it may read.
enum class Field : std::uint8_t { kTag, kOfItsOwn, kRetry };

std::string_view last_token(std::string_view pointer) {
  return pointer.substr(std::min(pointer.rfind('/') + 1, pointer.size()));
}

/// What kind of expression the string at `key` of the map at `at` is; nullopt: none. Those of hooks
/// are looked at elsewhere.
std::optional<Field> field_of(std::string_view key, const Place& at) {
  if (key == "fromExpression") return Field::kOfItsOwn;
  if (key != "expression") return std::nullopt;
  const std::string_view parent = last_token(at.pointer);
  const std::string_view around =
      last_token(std::string_view(at.pointer).substr(0, at.pointer.size() - parent.size() - 1));
  if (around == "hooks") return std::nullopt;
  if (parent == "retryStrategy") return Field::kRetry;
  if (parent == "valueFrom" || around == "labelsFrom") return Field::kOfItsOwn;
  return std::nullopt;
}

Known known_of_node(std::string_view path, const TemplateScope* scope) {
  const std::string_view node = segments(path, 2);
  const std::string_view rest = after(path, node);
  // The outputs of a loop are lists, made when it has ended.
  const bool is_loop = scope == nullptr || scope->is_loop(node);
  if (rest == "status" || rest == "exitCode") return Known::kText;
  const bool is_output = rest == "outputs.result" ||
                         (rest.starts_with("outputs.parameters.") && rest == segments(rest, 3));
  return is_output && !is_loop ? Known::kText : Known::kAnything;
}

/// What is known of a variable's type. Parameters are texts, whatever is in them.
Known known_of(std::string_view path, const TemplateScope* scope) {
  if (path == "retries") return Known::kText;
  const std::string_view root = segments(path, 1);
  if (root == "sprig") return Known::kNothing;  // its functions are no variables
  const std::string_view rest = after(path, root);
  if (rest.empty()) {
    const bool has_members = root == "workflow" || root == "inputs" || root == "steps" ||
                             root == "tasks" || root == "lastRetry";
    if (has_members) return Known::kMembers;
    // Other names of these are told by themselves.
    return std::ranges::find(kRootWords, root) != std::end(kRootWords) ? Known::kAnything
                                                                       : Known::kNothing;
  }
  const bool is_parameter = rest.starts_with("parameters.") && path == segments(path, 3);
  if (root == "inputs") return is_parameter ? Known::kText : Known::kAnything;
  if (root == "lastRetry") return Known::kText;
  if (root == "workflow") {
    for (const char* name : {"name", "namespace", "uid", "status", "mainEntrypoint", "duration"}) {
      if (rest == name) return Known::kText;
    }
    return is_parameter ? Known::kText : Known::kAnything;
  }
  if (root == "steps" || root == "tasks") return known_of_node(path, scope);
  return Known::kAnything;
}

/// How to mend types that do not fit.
std::string mended(std::string_view error) {
  if (error.find("mismatched types") == std::string_view::npos) return "";
  const auto has = [&](const char* word) { return error.find(word) != std::string_view::npos; };
  if (!has("string")) return "";
  if (has("int") || has("float")) {
    return "parameters and results are texts: asInt() and asFloat() make numbers of them";
  }
  return has("bool") ? "parameters and results are texts: compare with 'true'" : "";
}

/// Looks at the texts of one template.
class Inspector {
 public:
  Inspector(const BasePointer& base, const TemplateScope* scope, std::vector<Diagnostic>& out)
      : base_(base), scope_(scope), out_(out) {}

  void values(const Value& v, const Place& at) {
    if (v.is_string()) return one_text(v.as_string(), at);
    std::size_t i = 0;
    for (const Value& element : v.list()) values(element, at.at(std::to_string(i++)));
    for (const auto& [key, member] : v.map()) {
      if (key == "inline" && member.is_map() && scope_ != nullptr) {
        const TemplateScope inner(*base_, member, scope_);
        Inspector(base_, &inner, out_).values(member, at.at(key));
        continue;
      }
      const auto field = field_of(key, at);
      if (field && member.is_string() && !tag::has_tags(member.as_string())) {
        expression({*field, member.as_string(), member.as_string(), 0}, at.at(key));
      } else {
        values(member, at.at(key));
      }
    }
  }

 private:
  /// An expression and where in a text it begins.
  struct Found {
    Field field = Field::kTag;
    const std::string& source;
    const std::string& given;
    std::size_t begin = 0;
  };

  void one_text(const std::string& given, const Place& at) {
    if (!tag::has_tags(std::string_view(given))) return;
    unclosed(given, at);
    for (const tag::Tag& found : tag::find_tags(given)) {
      if (!found.is_expression) continue;
      const std::string source(found.name);
      const std::size_t begin = given.find(source, found.offset);
      expression({Field::kTag, source, given, begin == std::string::npos ? found.offset : begin},
                 at);
    }
  }

  void expression(const Found& e, const Place& at) {
    const auto program = expr::Program::parse(e.source);
    if (!program) {
      out_.push_back(unreadable(program.error().message, at.position(), e.given, e.begin));
      return;
    }
    const std::size_t before = out_.size();
    unknown_functions(e.source, e.given, e.begin, at);
    for (const std::string& name : program->reads()) unknown_name(name, e, at);
    if (out_.size() != before) return;  // types of what is not there
    const auto fits = program->check([&](std::string_view path) { return known_of(path, scope_); });
    if (fits) return;
    out_.push_back(unreadable(fits.error().message, at.position(), e.given, e.begin,
                              "the types in this expression do not fit"));
    out_.back().suggestion = mended(fits.error().message);
  }

  /// `offset` is that in the text.
  void tell(const std::string& given, std::size_t offset, const Place& at, std::string message,
            std::string fix) {
    out_.push_back({diag::Severity::kWarning,
                    {diag::Code::kBadExpression, std::move(message),
                     position_inside(at.position(), given, offset)},
                    std::move(fix)});
  }

  /// "{{workflow.name}" is passed on as it is.
  void unclosed(const std::string& given, const Place& at) {
    const std::size_t begin = given.rfind("{{");
    if (given.find("}}", begin) != std::string::npos) return;
    static const RE2 kTag(R"(^\{\{\s*(=|(workflow|inputs|outputs|steps|tasks|item|pod)\b))");
    if (!RE2::PartialMatch(re2::StringPiece(given).substr(begin), kTag)) return;
    out_.push_back({diag::Severity::kWarning,
                    {diag::Code::kInvalidManifest, "this tag is never closed with }}, and so stays",
                     position_inside(at.position(), given, begin)},
                    ""});
  }

  void unknown_functions(const std::string& source, const std::string& given, std::size_t begin,
                         const Place& at) {
    static const RE2 kCall(R"(\b(sprig\.(\w+))\s*\()");
    re2::StringPiece rest(source);
    re2::StringPiece whole;
    std::string name;
    while (RE2::FindAndConsume(&rest, kCall, &whole, &name)) {
      if (expr::find_sprig(name) != nullptr) continue;
      const auto offset = static_cast<std::size_t>(whole.data() - source.data());
      tell(given, begin + offset, at, fmt::format("there is no function 'sprig.{}'", name),
           did_you_mean_function("sprig." + name));
    }
  }

  void unknown_name(const std::string& name, const Found& e, const Place& at) {
    std::string fix;
    if (e.field == Field::kRetry ? is_retry_word(name, fix) : is_known(name, fix)) return;
    const std::string root(segments(name, 1));
    const bool is_root = std::ranges::find(kRootWords, root) == std::end(kRootWords);
    tell(e.given, e.begin + place_of(name, e.source), at,
         fmt::format("unknown {} '{}'{}", is_root ? "name" : "variable", is_root ? root : name,
                     e.field == Field::kTag ? " in the expression of this tag"
                                            : ", which fails when this is evaluated"),
         std::move(fix));
  }

  /// The expression of a retryStrategy reads nothing but the last attempt.
  static bool is_retry_word(const std::string& name, std::string& fix) {
    const std::string_view root = segments(name, 1);
    if (root == "sprig") return true;
    if (std::ranges::find(kRetryWords, segments(name, 2)) != kRetryWords.end()) return true;
    const bool is_elsewhere = root != "lastRetry" && root != "retries" &&
                              std::ranges::find(kRootWords, root) != std::end(kRootWords);
    if (is_elsewhere) {
      fix = fmt::format("only lastRetry and retries can be read here; write a tag, '{{{{{}}}}}'",
                        name);
      return false;
    }
    const std::string near =
        spec::nearest_name(root == "lastRetry" ? segments(name, 2) : root, kRetryWords);
    fix = near.empty() ? did_you_mean_function(root) : fmt::format("did you mean \"{}\"?", near);
    return false;
  }

  /// Where the first word that only this name has stands in the source; else its beginning.
  static std::size_t place_of(const std::string& name, const std::string& source) {
    const std::size_t whole = source.find(name);
    if (whole != std::string::npos) return whole;
    const std::size_t root = source.find(segments(name, 1));
    return root == std::string::npos ? 0 : root;
  }

  bool is_known(const std::string& name, std::string& fix) const {
    const std::string_view root = segments(name, 1);
    if (root == "workflow") return is_workflow_variable(name, *base_, fix);
    if (root == "inputs" || root == "steps" || root == "tasks") return is_in_template(name, fix);
    if (root == "lastRetry") return is_retry_word(name, fix);
    if (std::ranges::find(kRootWords, root) != std::end(kRootWords)) return true;
    const std::string near =
        spec::nearest_name(root, {std::begin(kRootWords), std::end(kRootWords)});
    fix = near.empty() ? did_you_mean_function(root) : fmt::format("did you mean \"{}\"?", near);
    return false;
  }

  bool is_in_template(const std::string& name, std::string& fix) const {
    if (scope_ == nullptr) return true;
    const bool is_input = name.starts_with("inputs.");
    const std::string_view wanted = segments(name, is_input ? 3 : 2);
    const bool is_whole = is_input ? wanted == segments(name, 2) : wanted == segments(name, 1);
    // steps.name and tasks.name are the step's own.
    if (is_whole || wanted == "steps.name" || wanted == "tasks.name") return true;
    if (wanted.find('(') != std::string_view::npos) return true;  // an item of a loop
    if (scope_->has(wanted)) return is_input || is_of_node(wanted, after(name, wanted), fix);
    const std::string near = scope_->nearest(wanted);
    if (!near.empty()) fix = fmt::format("did you mean \"{}\"?", near);
    return false;
  }

  /// What may follow the name of a step or task.
  bool is_of_node(std::string_view node, std::string_view rest, std::string& fix) const {
    if (!is_node_variable(rest, fix)) return false;
    const std::string_view output = segments(rest, 3);
    const bool is_declared = output != segments(rest, 2) && rest.starts_with("outputs.");
    return !is_declared || scope_->has_output(node, output, fix);
  }

  const BasePointer& base_;
  const TemplateScope* scope_;  // null: not in a template
  std::vector<Diagnostic>& out_;
};

}  // namespace

Finding hook_names_and_types(const expr::Program& program, const HookScope& hook,
                             const Base& base) {
  std::optional<TemplateScope> scope;
  if (hook.body != nullptr) scope.emplace(base, *hook.body, nullptr);
  for (const std::string& name : program.reads()) {
    const std::string_view root = segments(name, 1);
    const std::string_view node = segments(name, 2);
    const std::string_view rest = after(name, node);
    const bool is_own = node == fmt::format("{}.{}", hook.root, hook.self);
    if (is_own && hook.is_loop && hook.level == HookScope::Level::kStep && !rest.empty()) {
      return {
          .message = fmt::format("'{}' is unknown in a hook of the loop itself, which fails when "
                                 "this is evaluated",
                                 name),
          .fix = fmt::format("name an item: steps[\"{}(0:...)\"]", hook.self)};
    }
    if (!scope) continue;
    std::string fix;
    const bool is_input = root == "inputs" && rest == segments(rest, 1) && !rest.empty();
    const bool is_output = (root == "steps" || root == "tasks") && rest.starts_with("outputs.") &&
                           segments(rest, 3) != segments(rest, 2);
    if (is_input && !scope->has(name)) {
      const std::string near = scope->nearest(name);
      if (!near.empty()) fix = fmt::format("did you mean \"{}\"?", near);
    } else if (!is_output || scope->has_output(node, segments(rest, 3), fix)) {
      continue;
    }
    return {
        .message = fmt::format("unknown variable '{}', which fails when this is evaluated", name),
        .fix = std::move(fix),
        .word = is_input ? name : std::string(rest)};
  }
  const TemplateScope* const known = scope ? &*scope : nullptr;
  const auto fits = program.check([&](std::string_view path) { return known_of(path, known); });
  if (fits) return {};
  std::string message = fits.error().message;
  message.resize(std::min(message.find('\n'), message.size()));
  // The place in it is of no use where the expression is shown.
  message.resize(std::min(message.rfind(" ("), message.size()));
  return {.message = "the types in this expression do not fit: " + message,
          .fix = mended(fits.error().message)};
}

void suspicious_expressions(const Value& v, const Place& at, const BasePointer& base,
                            std::vector<Diagnostic>& out) {
  Inspector(base, nullptr, out).values(v, at);
}

void expressions_of_templates(const BasePointer& base, std::vector<Diagnostic>& out) {
  const Place spec{base, base->pointer};
  Inspector outside(base, nullptr, out);
  for (const char* field : {"retryStrategy", "workflowMetadata"}) {
    outside.values(base->spec[field], spec.at(field));
  }
  const Place at = spec.at("templates");
  std::size_t i = 0;
  for (const Value& body : base->spec["templates"].list()) {
    const TemplateScope scope(*base, body, nullptr);
    Inspector(base, &scope, out).values(body, at.at(std::to_string(i++)));
  }
}

}  // namespace tiphys::lint
