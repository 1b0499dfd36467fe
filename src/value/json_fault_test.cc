// The goal: a fault of a JSON text is told as Go tells it. Measured with encoding/json.
#include "value/json_fault.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace tiphys::value {
namespace {

TEST(JsonFault, IsEmptyForWhatIsWellFormed) {
  for (const char* text : {"[]", " {} ", R"({"a":[1,-0.5e+3,true,false,null,"\u00e9\n"],"b":{}})",
                           "null", "0", "\"\xff\""}) {
    EXPECT_EQ(json_fault(text), "") << text;
  }
  EXPECT_EQ(json_fault(std::string(10'000, '[') + std::string(10'000, ']')), "");
}

TEST(JsonFault, NamesTheCharacterAndWhatWasLookedFor) {
  constexpr auto kCases = std::to_array<std::pair<const char*, const char*>>({
      {"oops", "'o' looking for beginning of value"},
      {"[1,]", "']' looking for beginning of value"},
      {"['a']", R"('\'' looking for beginning of value)"},
      {"[\xc3\xa9]", "'Ã' looking for beginning of value"},
      {"[\x80]", R"('\u0080' looking for beginning of value)"},
      {"[\x01]", R"('\x01' looking for beginning of value)"},
      {"[1 2]", "'2' after array element"},
      {"[01]", "'1' after array element"},
      {R"({"a" 1})", "'1' after object key"},
      {R"({"a":1 "b"})", "'\"' after object key:value pair"},
      {"{a:1}", "'a' looking for beginning of object key string"},
      {R"({"a":1,})", "'}' looking for beginning of object key string"},
      {"[1] x", "'x' after top-level value"},
      {"[tru]", "']' in literal true (expecting 'e')"},
      {"nope", "'o' in literal null (expecting 'u')"},
      {"[-x]", "'x' in numeric literal"},
      {"[1.]", "']' after decimal point in numeric literal"},
      {"[1e+]", "']' in exponent of numeric literal"},
      {"[\"a\n\"]", R"('\n' in string literal)"},
      {R"(["\x"])", "'x' in string escape code"},
      {R"(["\u12g4"])", "'g' in \\u hexadecimal character escape"},
      {"tr", "' ' in literal true (expecting 'u')"},
      {"-", "' ' in numeric literal"},
  });
  for (const auto& [text, fault] : kCases) {
    EXPECT_EQ(json_fault(text), std::string("invalid character ") + fault) << text;
  }
}

TEST(JsonFault, KnowsATextThatStopsTooSoon) {
  for (const char* text :
       {"", " ", "[", "[1", "[1,", "{", R"({"a")", R"({"a":)", R"({"a":1)", "\"a", "[\"]"}) {
    EXPECT_EQ(json_fault(text), "unexpected end of JSON input") << text;
  }
  EXPECT_EQ(json_fault(std::string(10'001, '[')), "exceeded max depth");
}

}  // namespace
}  // namespace tiphys::value
