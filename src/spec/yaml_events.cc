#include "spec/yaml_events.h"

#include <algorithm>
#include <new>

namespace tiphys::spec {
namespace {

// libyaml compares each `%TAG` with all others and copies its text for each use: without bounds,
// a megabyte of them takes minutes.
constexpr std::size_t kDirectivesMax = 64;
constexpr std::size_t kDirectiveLengthMax = 1024;

std::string_view view_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

/// The place that tells most: where a thing begins that the text's end or another line cut off.
std::size_t place_of_fault(const yaml_parser_t& parser) {
  const bool is_far = parser.error == YAML_SCANNER_ERROR && parser.context != nullptr &&
                      parser.context_mark.line != parser.problem_mark.line;
  return is_far ? parser.context_mark.index : parser.problem_mark.index;
}

}  // namespace

YamlEvents::YamlEvents(std::string_view text, const YamlStyle& style)
    : text_(text), places_(text, style) {
  if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
  yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  const char* const data = text.empty() ? "" : text.data();  // libyaml wants no null
  yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(data), text.size());
}

YamlEvents::~YamlEvents() {
  yaml_event_delete(&raw_);
  yaml_parser_delete(&parser_);
}

diag::Result<void> YamlEvents::parse() {
  yaml_event_delete(&raw_);
  if (yaml_parser_parse(&parser_, &raw_) != 0) return {};
  if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
  const std::size_t at = parser_.error == YAML_READER_ERROR
                             ? parser_.problem_offset
                             : places_.byte_of(place_of_fault(parser_));
  return places_.fail(parser_.problem, at);
}

// Directives stand before everything else but comments.
diag::Result<void> YamlEvents::check_directives() const {
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < text_.size();) {
    const std::size_t end = std::min(text_.find('\n', begin), text_.size());
    const std::size_t first = text_.find_first_not_of(" \t\r", begin);
    if (text_[begin] == '%') {
      if (++count > kDirectivesMax) return places_.fail("too many directives", begin);
      if (end - begin > kDirectiveLengthMax) return places_.fail("too long directive", begin);
    } else if (first < end && text_[first] != '#') {
      return {};
    }
    begin = end + 1;
  }
  return {};
}

diag::Result<bool> YamlEvents::open() {
  TRY_VOID(check_directives());
  do {
    TRY_VOID(parse());
  } while (raw_.type == YAML_STREAM_START_EVENT);
  if (raw_.type != YAML_DOCUMENT_START_EVENT) return false;
  const yaml_version_directive_t* version = raw_.data.document_start.version_directive;
  if (version != nullptr && version->minor != 1) {  // libyaml takes 1.2, too
    return places_.fail("found incompatible YAML document", places_.byte_of(raw_.start_mark.index));
  }
  return true;
}

diag::Result<void> YamlEvents::next() {
  using Kind = YamlEvent::Kind;
  TRY_VOID(parse());
  event_ = {.begin = places_.byte_of(raw_.start_mark.index)};
  switch (raw_.type) {
    case YAML_ALIAS_EVENT:
      event_.kind = Kind::kAlias;
      event_.anchor = view_of(raw_.data.alias.anchor);
      return {};
    case YAML_SCALAR_EVENT:
      event_.kind = Kind::kScalar;
      return take_scalar();
    case YAML_SEQUENCE_START_EVENT:
      event_.kind = Kind::kListStart;
      event_.is_flow = raw_.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
      if (event_.is_flow) ++flow_depth_;
      return take_node(raw_.data.sequence_start.anchor, raw_.data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
      event_.kind = Kind::kMapStart;
      event_.is_flow = raw_.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
      if (event_.is_flow) ++flow_depth_;
      return take_node(raw_.data.mapping_start.anchor, raw_.data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
      event_.kind = Kind::kListEnd;
      break;
    case YAML_MAPPING_END_EVENT:
      event_.kind = Kind::kMapEnd;
      break;
    default:
      return {};
  }
  if (flow_depth_ > 0) --flow_depth_;  // in brackets everything is
  return {};
}

// Goes over anchor and tag to what they belong to.
diag::Result<void> YamlEvents::take_node(const yaml_char_t* anchor, const yaml_char_t* tag) {
  if (anchor == nullptr && tag == nullptr) return {};
  event_.anchor = view_of(anchor);
  event_.tag = view_of(tag);
  std::size_t i = event_.begin;
  for (int left = (anchor != nullptr ? 1 : 0) + (tag != nullptr ? 1 : 0); left > 0; --left) {
    const bool is_tag = text_[i] == '!';
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n", i), text_.size());
    // For Argo's reader the comma of `[!a, b]` is a part of the tag.
    const std::size_t comma = text_.substr(i, end - i).find(',');
    if (is_tag && text_.substr(i, 2) != "!<" && comma != std::string_view::npos) {
      return places_.fail("did not find expected whitespace or line break", i + comma);
    }
    if (event_.is_absent) return {};
    i = end;
    while (i < text_.size() && std::string_view(" \t\r\n#").contains(text_[i])) {
      i = text_[i] == '#' ? std::min(text_.find('\n', i), text_.size()) : i + 1;
    }
  }
  event_.begin = i;
  return {};
}

diag::Result<void> YamlEvents::take_scalar() {
  const auto& scalar = raw_.data.scalar;
  event_.text = {reinterpret_cast<const char*>(scalar.value), scalar.length};
  event_.is_plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
  event_.is_absent = event_.is_plain && event_.text.empty();
  TRY_VOID(take_node(scalar.anchor, scalar.tag));
  switch (scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
      ++event_.begin;
      break;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
      event_.begin = first_character_of_block(event_.begin);
      break;
    default:
      break;
  }
  return check_scalar(scalar.style);
}

// What libyaml took over from YAML 1.2 since it was ported: `\/`, and `?` inside of brackets.
diag::Result<void> YamlEvents::check_scalar(yaml_scalar_style_t style) const {
  if (style == YAML_PLAIN_SCALAR_STYLE && flow_depth_ > 0 && event_.text.contains('?')) {
    return places_.fail("did not find expected ',' or ']'", text_.find('?', event_.begin));
  }
  if (style != YAML_DOUBLE_QUOTED_SCALAR_STYLE || !event_.text.contains('/')) return {};
  for (std::size_t i = event_.begin; i + 1 < text_.size() && text_[i] != '"'; ++i) {
    if (text_[i] != '\\') continue;
    if (text_[i + 1] == '/') return places_.fail("found unknown escape character", i);
    ++i;
  }
  return {};
}

// In the first line that is not empty, behind the blanks that belong to the indentation.
std::size_t YamlEvents::first_character_of_block(std::size_t header) const {
  const std::size_t line = text_.find('\n', header);
  const std::size_t first = text_.find_first_not_of(" \r\n", line);
  if (first == std::string_view::npos) return std::min(line, text_.size() - 1) + 1;
  const std::size_t own = event_.text.find_first_not_of('\n');
  const std::size_t blanks =
      own == std::string_view::npos ? 0 : event_.text.find_first_not_of(' ', own) - own;
  return blanks > first ? first : first - blanks;
}

}  // namespace tiphys::spec
