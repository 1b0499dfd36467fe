// sprig's functions on paths, with / as the separator.
#include "expr/builtin_table.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

// The shortest path of the same meaning; "" is ".".
std::string cleaned(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string> kept;
  for (std::string& part : split_text(path, "/", -1)) {
    if (part.empty() || part == ".") continue;
    const bool goes_up = part == "..";
    if (goes_up && !kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!goes_up || !rooted) {
      kept.push_back(std::move(part));
    }
  }
  std::string out = rooted ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) out.append(i == 0 ? "" : "/").append(kept[i]);
  return out.empty() ? "." : out;
}

Value clean(Arguments a, CallContext&) { return RuntimeValue(cleaned(a[0].as_string())); }

Value base(Arguments a, CallContext&) {
  std::string_view path = a[0].as_string();
  if (path.empty()) return RuntimeValue(".");
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return RuntimeValue("/");
  return RuntimeValue(path.substr(path.rfind('/') + 1));
}

Value dir(Arguments a, CallContext&) {
  const std::string_view path = a[0].as_string();
  return RuntimeValue(cleaned(path.substr(0, path.rfind('/') + 1)));
}

Value ext(Arguments a, CallContext&) {
  const std::string_view path = a[0].as_string();
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return RuntimeValue(dot == std::string_view::npos ? std::string_view() : name.substr(dot));
}

Value is_abs(Arguments a, CallContext&) { return RuntimeValue(a[0].as_string().starts_with('/')); }

constexpr std::array kRows = std::to_array<Builtin>({
    {"base", sig::kText, base, "the last part of a path"},
    {"clean", sig::kText, clean, "the shortest path of the same meaning"},
    {"dir", sig::kText, dir, "a path without its last part"},
    {"ext", sig::kText, ext, "a file's extension with its dot"},
    {"isAbs", sig::kText, is_abs, "does the path start at the root"},
    {"osBase", sig::kText, base, "as base"},
    {"osClean", sig::kText, clean, "as clean"},
    {"osDir", sig::kText, dir, "as dir"},
    {"osExt", sig::kText, ext, "as ext"},
    {"osIsAbs", sig::kText, is_abs, "as isAbs"},
});

}  // namespace

std::span<const Builtin> sprig_path_rows() { return kRows; }

}  // namespace tiphys::expr
