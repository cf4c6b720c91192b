// SPDX-License-Identifier: Apache-2.0
#include "dicom/path.h"

#include <charconv>

#include "dicom/dictionary.h"
#include "dicom/padding.h"

namespace fiducia::dicom {
namespace {

std::unexpected<Error> no_path(std::string what) {
  return fail(ErrorCode::usage_invalid, std::move(what),
              "Write it like (0040,0275)[1].(0040,0007), or with keywords.");
}

/// Reads the text of a path from front to back.
class PathReader {
 public:
  explicit PathReader(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  template <std::unsigned_integral T>
  std::optional<T> take_hex(std::size_t digits) {
    const auto value = number_from_hex<T>(rest_.substr(0, digits));
    if (rest_.size() < digits || !value) return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }
  std::string_view take_until(std::string_view ends) {
    const std::string_view taken = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  Result<PathStep> step() {
    PathStep out;
    if (take('(')) {
      FIDUCIA_CHECK(attribute(out));
    } else {
      const auto tag = find_tag(take_until("[."));
      if (!tag) return no_path("No attribute of the dictionary has this keyword.");
      out.tag = *tag;
    }
    if (!take('[')) return out;
    const std::string_view digits = take_until("]");
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), out.item_number);
    if (error != std::errc{} || end != digits.data() + digits.size() || out.item_number == 0 ||
        digits.front() == '0' || !take(']'))
      return no_path("The number of an item counts from 1 and stands in brackets.");
    return out;
  }

 private:
  /// Behind the opening parenthesis.
  Status attribute(PathStep& out) {
    const auto group = take_hex<std::uint16_t>(4);
    if (!group || !take(',')) return no_path("A tag is (gggg,eeee), in hexadecimal digits.");
    out.tag.group = *group;
    if (!take('"')) {
      const auto element = take_hex<std::uint16_t>(4);
      if (!element || !take(')')) return no_path("A tag is (gggg,eeee), in hexadecimal digits.");
      out.tag.element = *element;
      return {};
    }
    out.creator = take_until("\"");
    if (out.creator.empty() || !take('"') || !out.tag.is_private())
      return no_path("A private creator is not empty, stands in quotes and in an odd group.");
    out.is_creator = take(')');
    if (out.is_creator) return {};
    const auto low = take(',') ? take_hex<std::uint8_t>(2) : std::nullopt;
    if (!low || !take(')')) return no_path("A private attribute is (gggg,\"CREATOR\",ee).");
    out.tag.element = *low;
    return {};
  }

  std::string_view rest_;
};

}  // namespace

Result<AttributePath> AttributePath::parse(std::string_view text) {
  PathReader reader(text);
  AttributePath path;
  do {
    if (!path.steps_.empty() && path.steps_.back().item_number == 0)
      return no_path("Every attribute but the last needs the number of an item.");
    if (path.steps_.size() > limits::nesting_depth_max)
      return no_path("The path is deeper than sequences may be nested.");
    FIDUCIA_TRY(step, reader.step());
    path.steps_.push_back(std::move(step));
  } while (reader.take('.'));
  if (!reader.at_end()) return no_path("Behind an attribute stands a dot, an item, or nothing.");
  return path;
}

AttributePath AttributePath::item(std::uint32_t number) const {
  AttributePath path = *this;
  path.steps_.back().item_number = number;
  return path;
}

AttributePath AttributePath::inside(PathStep step) const {
  FIDUCIA_ASSERT(is_item());
  AttributePath path = *this;
  path.steps_.push_back(std::move(step));
  return path;
}

std::string AttributePath::text() const {
  std::string out;
  for (const PathStep& step : steps_) {
    if (!out.empty()) out += '.';
    if (step.creator.empty()) {
      out += to_string(step.tag);
    } else {
      out += to_string(step.tag).substr(0, 6) + '"' + step.creator + '"';
      if (!step.is_creator) {
        out += ',';
        append_hex(out, step.tag.element, 2, HexCase::upper);
      }
      out += ')';
    }
    if (step.item_number != 0) out += '[' + std::to_string(step.item_number) + ']';
  }
  return out;
}

ElementIndex find_step(const DataSet& data_set, ElementIndex first, const PathStep& step) {
  Tag tag = step.tag;
  if (!step.creator.empty()) {
    ElementIndex creator = no_index;
    for (auto i = first; i != no_index && creator == no_index; i = data_set.element(i).next) {
      const Element& element = data_set.element(i);
      if (element.tag.group == tag.group && element.tag.is_private_creator() &&
          printable_creator(as_text(element.value)) == step.creator)
        creator = i;
    }
    if (creator == no_index || step.is_creator) return creator;
    tag.element = static_cast<std::uint16_t>(unsigned{data_set.element(creator).tag.element} << 8U |
                                             step.tag.element);
  }
  for (auto i = first; i != no_index; i = data_set.element(i).next)
    if (data_set.element(i).tag == tag) return i;
  return no_index;
}

ElementIndex find_element(const DataSet& data_set, const AttributePath& path) {
  ElementIndex first = data_set.first();
  ElementIndex found = no_index;
  for (const PathStep& step : path.steps()) {
    found = find_step(data_set, first, step);
    if (found == no_index || step.item_number == 0) return found;
    const ItemIndex item = data_set.find_item(found, step.item_number);
    if (item == no_index) return no_index;
    first = data_set.item(item).first_element;
  }
  return found;
}

}  // namespace fiducia::dicom
