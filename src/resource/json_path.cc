#include "resource/json_path.h"

#include <fmt/format.h>

#include "resource/json_path_tree.h"
#include "value/json.h"

namespace tiphys::resource {
namespace {

using value::List;
using value::Value;

constexpr int kDepthMax = 200;  // of what `..` goes into

std::unexpected<diag::Error> wrong(std::string message) {
  return diag::fail(diag::Code::kBadExpression, std::move(message));
}

diag::Result<List> walk(List values, const Path& path);

/// Applies one step to all values.
class Stepper {
 public:
  explicit Stepper(const List& values) : values_(values) {}

  diag::Result<List> operator()(const FieldStep& step) {
    for (const Value& v : values_) {
      if (const Value* const member = v.map().find(step.name)) out_.push_back(*member);
    }
    return std::move(out_);
  }

  diag::Result<List> operator()(const WildcardStep& /*step*/) {
    for (const Value& v : values_) add_members(v, out_);
    return std::move(out_);
  }

  diag::Result<List> operator()(const DescentStep& /*step*/) {
    for (const Value& v : values_) descend(v, 0);
    return std::move(out_);
  }

  diag::Result<List> operator()(const SliceStep& step) {
    for (const Value& v : values_) {
      if (v.is_null()) continue;
      if (!v.is_list()) return wrong(kind_of(v) + " is not array or slice");
      TRY_VOID(slice(v.list(), step));
    }
    return std::move(out_);
  }

  diag::Result<List> operator()(const UnionStep& step) {
    for (const Path& path : step.paths) {
      TRY(const List found, walk(values_, path));
      out_.insert(out_.end(), found.begin(), found.end());
    }
    return std::move(out_);
  }

  diag::Result<List> operator()(const FilterStep& step) {
    for (const Value& v : values_) {
      if (!v.is_list()) {
        return wrong(value::to_json(v) + " is not array or slice and cannot be filtered");
      }
      for (const Value& element : v.list()) {
        TRY(const bool passes, matches(element, step));
        if (passes) out_.push_back(element);
      }
    }
    return std::move(out_);
  }

  diag::Result<List> operator()(const ConstantStep& step) {
    out_.push_back(step.value);
    return std::move(out_);
  }

 private:
  static std::string kind_of(const Value& v) {
    if (v.is_map()) return "map[string]interface {}";
    return v.is_string() ? "string" : v.is_bool() ? "bool" : v.is_int() ? "int64" : "float64";
  }

  static void add_members(const Value& v, List& out) {
    if (v.is_map()) {
      for (const auto& [key, member] : v.map().sorted()) out.push_back(member);
    }
    out.insert(out.end(), v.list().begin(), v.list().end());
  }

  void descend(const Value& v, int depth) {
    List members;
    add_members(v, members);
    if (members.empty() || depth > kDepthMax) return;
    out_.push_back(v);
    for (const Value& member : members) descend(member, depth + 1);
  }

  diag::Result<void> slice(const List& list, const SliceStep& step) {
    const auto size = static_cast<std::int64_t>(list.size());
    std::int64_t from = step.from.value_or(0);
    if (from < 0) from += size;
    std::int64_t to = step.is_index ? from + 1 : step.to.value_or(size);
    if (to < 0) to += size;
    if (from == to) return {};
    if (from >= size || from < 0 || to > size || to < 0) {
      const bool is_from = from >= size || from < 0;
      return wrong(fmt::format("array index out of bounds: index {}, length {}",
                               is_from ? from : to - 1, size));
    }
    if (from > to) {
      return wrong(fmt::format("starting index {} is greater than ending index {}", from, to));
    }
    const std::int64_t by = step.by.value_or(1);
    if (by <= 0) return wrong("step must be > 0");
    for (std::int64_t i = from; i < to; i += by) out_.push_back(list[static_cast<std::size_t>(i)]);
    return {};
  }

  static diag::Result<bool> matches(const Value& element, const FilterStep& step) {
    auto left = walk({element}, step.left);
    if (step.comparison.empty()) return left && !left->empty();
    if (!left) return std::unexpected(left.error());
    TRY(const List right, walk({element}, step.right));
    if (left->empty() || right.empty()) return false;
    if (left->size() > 1 || right.size() > 1) {
      return wrong("can only compare one element at a time");
    }
    return compare(left->front(), step.comparison, right.front());
  }

  static diag::Result<bool> compare(const Value& a, const std::string& sign, const Value& b) {
    const auto is_number = [](const Value& v) { return v.is_int() || v.is_float(); };
    const auto number = [](const Value& v) {
      return v.is_int() ? static_cast<double>(v.as_int()) : v.as_float();
    };
    if (is_number(a) && is_number(b)) return compared(number(a), sign, number(b));
    if (a.is_string() && b.is_string()) return compared(a.as_string(), sign, b.as_string());
    if (a.is_bool() && b.is_bool() && (sign == "==" || sign == "!=")) {
      return compared(a.as_bool(), sign, b.as_bool());
    }
    return wrong("incompatible types for comparison");
  }

  template <typename T>
  static diag::Result<bool> compared(const T& a, const std::string& sign, const T& b) {
    if (sign == "==") return a == b;
    if (sign == "!=") return a != b;
    if (sign == "<") return a < b;
    if (sign == "<=") return a <= b;
    if (sign == ">") return a > b;
    if (sign == ">=") return a >= b;
    return wrong("unrecognized filter operator " + sign);
  }

  const List& values_;
  List out_;
};

diag::Result<List> walk(List values, const Path& path) {
  for (const PathStep& step : path) {
    TRY(values, std::visit(Stepper(values), step.what));
  }
  return values;
}

diag::Result<void> print_parts(const Parts& parts, const Value& object, std::string& out) {
  for (const auto& part : parts) {
    TRY(const List results, walk({object}, part->path));
    if (part->is_range) {
      for (const Value& result : results) TRY_VOID(print_parts(part->repeated, result, out));
      continue;
    }
    bool is_first = true;
    for (const Value& result : results) {
      if (!std::exchange(is_first, false)) out += ' ';
      out += result.is_string() ? result.as_string() : value::to_json(result);
    }
  }
  return {};
}

}  // namespace

JsonPath::JsonPath() = default;
JsonPath::~JsonPath() = default;
JsonPath::JsonPath(JsonPath&&) noexcept = default;
JsonPath& JsonPath::operator=(JsonPath&&) noexcept = default;

diag::Result<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  TRY(path.parts_, parse_json_path(text));
  return path;
}

diag::Result<std::string> JsonPath::print(const Value& object) const {
  std::string out;
  TRY_VOID(print_parts(parts_, object, out));
  return out;
}

}  // namespace tiphys::resource
