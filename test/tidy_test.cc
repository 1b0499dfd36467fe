// The layout and style that ARCHITECTURE.md and CONTRIBUTING.md promise, as tests over the sources:
// arrows between folders, sizes, names, headers that pure folders may not include, [[nodiscard]].
//
// Runs in the top folder of the project. Each rule is also run on a text that breaks it, so that a
// rule which has stopped to see anything is found out.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Findings = std::vector<std::string>;

constexpr std::size_t kFileLinesMax = 500;
constexpr std::size_t kTestLinesMax = 1000;
constexpr std::size_t kFunctionLinesMax = 70;
constexpr std::size_t kColumnsMax = 100;

/// A source file, as the rules see it.
struct Source {
  std::string path;  // from the top of the project: src/engine/engine.h
  std::vector<std::string> lines;

  [[nodiscard]] bool is_test() const {
    return path.ends_with("_test.cc") || path.starts_with("test/");
  }
  [[nodiscard]] bool is_header() const { return path.ends_with(".h"); }
  /// `engine` for src/engine/..., else empty.
  [[nodiscard]] std::string folder() const {
    if (!path.starts_with("src/")) return "";
    return path.substr(4, path.find('/', 4) - 4);
  }
  [[nodiscard]] std::string at(std::size_t line) const {
    return fmt::format("{}:{}", path, line + 1);
  }
};

Source source_of(std::string path, const std::string& text) {
  Source out{.path = std::move(path), .lines = {}};
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.lines.push_back(line);
  return out;
}

/// Paths of all files, data and scripts, too.
std::vector<std::string> file_paths() {
  std::vector<std::string> paths;
  for (const char* top : {"src", "test", "fuzz", "bench"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      if (entry.is_regular_file()) paths.push_back(entry.path().string());
    }
  }
  std::ranges::sort(paths);
  return paths;
}

/// All C++ files of the project, by path.
const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    std::vector<Source> out;
    for (const std::string& path : file_paths()) {
      if (!path.ends_with(".cc") && !path.ends_with(".h")) continue;
      std::ifstream in(path);
      std::ostringstream text;
      text << in.rdbuf();
      out.push_back(source_of(path, text.str()));
    }
    return out;
  }();
  return all;
}

/// The lines without comments, and with string and character literals emptied.
std::vector<std::string> code_of(const Source& source) {
  std::vector<std::string> out;
  bool in_comment = false;
  std::string raw_end;  // of a raw string that is open: )delimiter"
  for (const std::string& line : source.lines) {
    std::string code;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (!raw_end.empty()) {
        if (line.compare(i, raw_end.size(), raw_end) != 0) continue;
        i += raw_end.size() - 1;
        raw_end.clear();
        code += '"';
      } else if (in_comment) {
        if (line.compare(i, 2, "*/") != 0) continue;
        in_comment = false;
        ++i;
      } else if (line.compare(i, 2, "//") == 0) {
        break;
      } else if (line.compare(i, 2, "/*") == 0) {
        in_comment = true;
        ++i;
      } else if (line.compare(i, 2, "R\"") == 0) {
        const std::size_t open = line.find('(', i);
        raw_end = ")" + line.substr(i + 2, open - i - 2) + "\"";
        code += '"';
        i = open;
      } else if (line[i] == '"' ||
                 (line[i] == '\'' && (i == 0 || std::isxdigit(line[i - 1]) == 0))) {
        const char quote = line[i];
        code += quote;
        for (++i; i < line.size() && line[i] != quote; ++i) {
          if (line[i] == '\\') ++i;
        }
        code += quote;
      } else {
        code += line[i];
      }
    }
    out.push_back(code);
  }
  return out;
}

using Arrows = std::map<std::string, std::set<std::string>>;

/// The table of test/arrows.txt, and the folders above its line `edges` in `pure`.
Arrows read_arrows(std::set<std::string>& pure) {
  Arrows out;
  bool is_pure = true;
  std::ifstream in("test/arrows.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line == "edges") {
      is_pure = false;
      continue;
    }
    std::istringstream words(line);
    std::string folder;
    words >> folder;
    if (!folder.ends_with(':')) continue;
    folder.pop_back();
    std::set<std::string>& allowed = out[folder];
    allowed.insert(folder);
    for (std::string word; words >> word;) allowed.insert(word);
    if (is_pure) pure.insert(folder);
  }
  return out;
}

void check_arrows(const Source& source, const Arrows& arrows, Findings& findings) {
  static const std::regex include(R"re(^#include "([^"]+)")re");
  const auto row = arrows.find(source.folder());
  if (source.folder().empty()) return;
  if (row == arrows.end()) {
    findings.push_back(
        fmt::format("{}: folder '{}' has no row in test/arrows.txt", source.path, source.folder()));
    return;
  }
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    std::smatch match;
    if (!std::regex_search(source.lines[i], match, include)) continue;
    const std::string target = match[1];
    const std::string folder = target.substr(0, target.find('/'));
    if (!arrows.contains(folder) && !fs::exists("src/" + folder)) continue;  // a library's header
    if (!row->second.contains(folder)) {
      findings.push_back(
          fmt::format("{}: {} may not include {}", source.at(i), row->first, target));
    }
  }
}

void check_purity(const Source& source, const std::set<std::string>& pure, Findings& findings) {
  static const std::regex forbidden(
      R"re(^#include <(thread|mutex|shared_mutex|atomic|condition_variable|chrono|future|random)>)re");
  static const std::regex unordered(R"re(\bstd::unordered_(map|set|multimap|multiset)\b)re");
  if (!pure.contains(source.folder()) || source.is_test()) return;
  const std::vector<std::string> code = code_of(source);
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (std::regex_search(source.lines[i], forbidden)) {
      findings.push_back(fmt::format("{}: a pure folder: {}", source.at(i), source.lines[i]));
    }
    const bool is_only_looked_up = source.lines[i].ends_with("// never iterated");
    if (std::regex_search(code[i], unordered) && !is_only_looked_up) {
      findings.push_back(
          fmt::format("{}: its order of iteration differs from run to run", source.at(i)));
    }
  }
}

/// Characters of UTF-8 text, as an editor counts columns.
std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Tables of generated or copied data may be long and wide.
bool is_table(const Source& source) { return source.path.find("_table") != std::string::npos; }

void check_size(const Source& source, Findings& findings) {
  const std::size_t max = source.is_test() ? kTestLinesMax : kFileLinesMax;
  if (source.lines.size() > max && !is_table(source)) {
    findings.push_back(
        fmt::format("{}: {} lines, more than {}", source.path, source.lines.size(), max));
  }
  bool in_raw_string = false;
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    const std::string& line = source.lines[i];
    if (line.find("R\"") != std::string::npos) in_raw_string = true;
    const bool is_free = in_raw_string || is_table(source);
    if (line.find(")\"") != std::string::npos) in_raw_string = false;
    if (!is_free && columns(line) > kColumnsMax) {
      findings.push_back(
          fmt::format("{}: {} columns, more than {}", source.at(i), columns(line), kColumnsMax));
    }
  }
}

/// True if `head`, the code between the last `;`, `{` or `}` and a `{`, begins a function's body.
bool is_function_head(const std::string& head) {
  static const std::regex other(
      R"re(^\s*(namespace|struct|class|enum|union|extern)\b|=\s*$|^\s*$|\]\s*$)re");
  return head.find('(') != std::string::npos && !std::regex_search(head, other);
}

void check_functions(const Source& source, Findings& findings) {
  struct Block {
    std::size_t line;
    bool is_function;
  };
  std::vector<Block> open;
  std::string head;
  std::size_t head_line = 0;
  const std::vector<std::string> code = code_of(source);
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i].starts_with('#')) continue;
    for (const char c : code[i]) {
      if (c == '{') {
        const bool is_inside =
            std::ranges::any_of(open, [](const Block& b) { return b.is_function; });
        open.push_back({.line = head_line, .is_function = !is_inside && is_function_head(head)});
        head.clear();
      } else if (c == '}' && !open.empty()) {
        const std::size_t count = i - open.back().line + 1;
        if (open.back().is_function && count > kFunctionLinesMax && !is_table(source)) {
          findings.push_back(fmt::format("{}: a function of {} lines, more than {}",
                                         source.at(open.back().line), count, kFunctionLinesMax));
        }
        open.pop_back();
        head.clear();
      } else if (c == ';') {
        head.clear();
      } else {
        if (head.empty() && std::isspace(static_cast<unsigned char>(c)) == 0) head_line = i;
        if (!head.empty() || std::isspace(static_cast<unsigned char>(c)) == 0) head += c;
      }
    }
    if (!head.empty()) head += ' ';
  }
}

void check_names(const std::string& path, Findings& findings) {
  static const std::set<std::string> drawers = {"util",    "utils",   "common",   "misc", "helper",
                                                "helpers", "manager", "managers", "stuff"};
  for (const fs::path& part : fs::path(path)) {
    std::string stem = part.stem().string();
    std::ranges::replace(stem, '-', '_');
    std::istringstream words(stem);
    for (std::string word; std::getline(words, word, '_');) {
      if (!drawers.contains(word)) continue;
      findings.push_back(fmt::format("{}: '{}' says nothing about what is inside", path, word));
    }
  }
}

void check_todos(const Source& source, Findings& findings) {
  static const std::regex todo(R"re(\b(TODO|FIXME|XXX)\b(?!\(#\d+\)))re");
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    if (source.path == "test/tidy_test.cc") return;  // it has to name them
    if (std::regex_search(source.lines[i], todo)) {
      findings.push_back(fmt::format("{}: write TODO(#issue)", source.at(i)));
    }
  }
}

void check_nodiscard(const Source& source, Findings& findings) {
  // A declaration, not a use: the type begins it, after words such as `static`.
  static const std::regex declaration(
      R"re(^\s*((static|virtual|inline|constexpr|friend|explicit)\s+)*(diag::)?Result<.*>\s+\w+\()re");
  if (!source.is_header() || !source.path.starts_with("src/")) return;
  const std::vector<std::string> code = code_of(source);
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (!std::regex_search(code[i], declaration)) continue;
    const bool is_marked = i > 0 && code[i - 1].find("[[nodiscard]]") != std::string::npos;
    if (!is_marked) findings.push_back(fmt::format("{}: not [[nodiscard]]", source.at(i)));
  }
}

// Each rule holds for every file of the project.

struct TidyTest : testing::Test {
  TidyTest() : arrows_(read_arrows(pure_)) {}

  std::set<std::string> pure_;
  Arrows arrows_;
  Findings findings_;
};

TEST_F(TidyTest, SourcesAreFound) { EXPECT_GT(sources().size(), 100U); }

TEST_F(TidyTest, IncludesFollowTheArrows) {
  for (const Source& s : sources()) check_arrows(s, arrows_, findings_);
  EXPECT_THAT(findings_, testing::IsEmpty());
}

TEST_F(TidyTest, ArrowsPointToRowsAbove) {
  // A table without cycles: each row names only folders that stand above it.
  std::set<std::string> above;
  std::ifstream in("test/arrows.txt");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string::npos) continue;
    const std::string folder = line.substr(0, colon);
    above.insert(folder);
    for (const std::string& target : arrows_[folder]) {
      EXPECT_TRUE(above.contains(target)) << folder << " -> " << target;
    }
  }
  EXPECT_GT(above.size(), 10U);
}

TEST_F(TidyTest, PureFoldersHaveNoThreadsAndNoClock) {
  for (const Source& s : sources()) check_purity(s, pure_, findings_);
  EXPECT_THAT(findings_, testing::IsEmpty());
}

TEST_F(TidyTest, FilesAndLinesAreShort) {
  for (const Source& s : sources()) check_size(s, findings_);
  EXPECT_THAT(findings_, testing::IsEmpty());
}

TEST_F(TidyTest, FunctionsAreShort) {
  for (const Source& s : sources()) check_functions(s, findings_);
  EXPECT_THAT(findings_, testing::IsEmpty());
}

TEST_F(TidyTest, NamesSayWhatIsInside) {
  for (const std::string& path : file_paths()) check_names(path, findings_);
  EXPECT_THAT(findings_, testing::IsEmpty());
}

TEST_F(TidyTest, TodosNameAnIssue) {
  for (const Source& s : sources()) check_todos(s, findings_);
  EXPECT_THAT(findings_, testing::IsEmpty());
}

TEST_F(TidyTest, ResultsCannotBeDropped) {
  for (const Source& s : sources()) check_nodiscard(s, findings_);
  EXPECT_THAT(findings_, testing::IsEmpty());
}

// Each rule sees a text that breaks it, and lets a good one pass.

std::string lines_of(std::size_t count, const std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += line + "\n";
  return out;
}

TEST_F(TidyTest, RuleOfArrowsSees) {
  check_arrows(source_of("src/tag/a.cc", "#include \"engine/engine.h\"\n"), arrows_, findings_);
  check_arrows(source_of("src/fresh/a.cc", ""), arrows_, findings_);
  EXPECT_EQ(findings_.size(), 2U);
  check_arrows(source_of("src/tag/a.cc", "#include \"expr/program.h\"\n"), arrows_, findings_);
  EXPECT_EQ(findings_.size(), 2U);
}

TEST_F(TidyTest, RuleOfPuritySees) {
  const std::string text = "#include <mutex>\nstd::unordered_map<int, int> m;\n";
  check_purity(source_of("src/engine/a.cc", text), pure_, findings_);
  EXPECT_EQ(findings_.size(), 2U);
  check_purity(source_of("src/executor/a.cc", text), pure_, findings_);
  check_purity(source_of("src/engine/a.cc", "// std::unordered_map would not do\n"), pure_,
               findings_);
  EXPECT_EQ(findings_.size(), 2U);
}

TEST_F(TidyTest, RuleOfSizeSees) {
  check_size(source_of("src/engine/a.cc", lines_of(501, "")), findings_);
  check_size(source_of("src/engine/a_test.cc", lines_of(1001, "")), findings_);
  check_size(source_of("src/engine/a.cc", std::string(101, 'x')), findings_);
  EXPECT_EQ(findings_.size(), 3U);
  check_size(source_of("src/engine/a.cc", lines_of(500, std::string(100, 'x'))), findings_);
  check_size(source_of("src/engine/a_test.cc", lines_of(1000, "")), findings_);
  EXPECT_EQ(findings_.size(), 3U);
}

TEST_F(TidyTest, RuleOfFunctionsSees) {
  const std::string body = lines_of(70, "  f(\"}\", '{');  // }");
  check_functions(
      source_of("a.cc", "namespace x {\nint f(int a,\n      int b) {\n" + body + "}\n}\n"),
      findings_);
  check_functions(source_of("a.h", "class A {\n  A() : a_(1) {\n" + body + "  }\n};\n"), findings_);
  EXPECT_EQ(findings_.size(), 2U) << testing::PrintToString(findings_);
  check_functions(source_of("a.cc", "void f() {\n" + lines_of(68, "  if (x) {}") + "}\n"),
                  findings_);
  check_functions(source_of("a.cc", "const std::array<int, 3> kTable = {\n" + body + "};\n"),
                  findings_);
  EXPECT_EQ(findings_.size(), 2U) << testing::PrintToString(findings_);
}

TEST_F(TidyTest, RuleOfNamesSees) {
  check_names("src/util/a.cc", findings_);
  check_names("src/engine/helpers.h", findings_);
  EXPECT_EQ(findings_.size(), 2U);
  check_names("src/engine/utility_rate.h", findings_);
  EXPECT_EQ(findings_.size(), 2U);
  check_names("test/vectors/misc_set.cc", findings_);
  check_names("test/vectors/data/misc-own.jsonl", findings_);
  EXPECT_EQ(findings_.size(), 4U);
}

TEST_F(TidyTest, RuleOfTodosSees) {
  check_todos(source_of("src/a.cc", "// TODO: later\n// FIXME\n// TODO(me): later\n"), findings_);
  EXPECT_EQ(findings_.size(), 3U);
  check_todos(source_of("src/a.cc", "// TODO(#12): later\n"), findings_);
  EXPECT_EQ(findings_.size(), 3U);
}

TEST_F(TidyTest, RuleOfNodiscardSees) {
  check_nodiscard(source_of("src/a.h", "  static diag::Result<std::vector<A>> parse(int a);\n"),
                  findings_);
  check_nodiscard(source_of("src/a.h", "Result<void> f();\n"), findings_);
  EXPECT_EQ(findings_.size(), 2U);
  check_nodiscard(source_of("src/a.h", "[[nodiscard]]\nResult<void> f();\n"), findings_);
  check_nodiscard(source_of("src/a.h", "  [[nodiscard]] static Result<void> f();\n"), findings_);
  check_nodiscard(source_of("src/a.h", "  std::function<diag::Result<void>()> f();\n"), findings_);
  EXPECT_EQ(findings_.size(), 2U);
}

}  // namespace
