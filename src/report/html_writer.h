// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fiducia::report {

/// Writes HTML whose text and attribute values are always escaped: there is no way to put raw
/// text in but `raw`, whose argument is a literal of the program.
///
/// Invariant: elements are closed in the order in which they were opened; `take` demands that
/// all are. Names of elements and attributes are literals of the program.
class HtmlWriter {
 public:
  using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void open(std::string_view element, Attributes attributes = {});
  void close();
  /// An element without content and end tag: img, meta, input.
  void single(std::string_view element, Attributes attributes = {});
  /// Text: markup characters escaped, control characters and broken UTF-8 made visible.
  void text(std::string_view value);
  /// An element with text only.
  void element(std::string_view name, Attributes attributes, std::string_view content);
  void element(std::string_view name, std::string_view content) { element(name, {}, content); }
  /// Text whose parts between backticks are commands: the text of codes.cpp and of this page.
  void prose(std::string_view value);
  /// Constants only: style sheet, icons.
  void raw(std::string_view constant) { out_ += constant; }

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] std::string take();

 private:
  void tag(std::string_view element, Attributes attributes);
  void append_escaped(std::string_view value);

  std::string out_;
  std::vector<std::string_view> open_;
};

}  // namespace fiducia::report
