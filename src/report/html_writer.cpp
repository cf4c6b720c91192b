// SPDX-License-Identifier: Apache-2.0
#include "report/html_writer.h"

#include <algorithm>

#include "core/core.h"

namespace fiducia::report {

void HtmlWriter::open(std::string_view element, Attributes attributes) {
  tag(element, attributes);
  open_.push_back(element);
}

void HtmlWriter::close() {
  FIDUCIA_ASSERT(!open_.empty());
  out_ += "</";
  out_ += open_.back();
  out_ += '>';
  open_.pop_back();
}

void HtmlWriter::single(std::string_view element, Attributes attributes) {
  tag(element, attributes);
}

void HtmlWriter::text(std::string_view value) { append_escaped(visible(value)); }

void HtmlWriter::element(std::string_view name, Attributes attributes, std::string_view content) {
  open(name, attributes);
  text(content);
  close();
}

void HtmlWriter::prose(std::string_view value) {
  for (bool is_command = false;; is_command = !is_command) {
    const std::size_t end = std::min(value.find('`'), value.size());
    if (is_command) {
      element("code", value.substr(0, end));
    } else {
      text(value.substr(0, end));
    }
    if (end == value.size()) return;
    value.remove_prefix(end + 1);
  }
}

std::string HtmlWriter::take() {
  FIDUCIA_ASSERT(open_.empty());
  return std::move(out_);
}

void HtmlWriter::tag(std::string_view element, Attributes attributes) {
  out_ += '<';
  out_ += element;
  for (const auto& [name, value] : attributes) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    append_escaped(visible(value));
    out_ += '"';
  }
  out_ += '>';
}

void HtmlWriter::append_escaped(std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += "&quot;";
        break;
      case '\'':
        out_ += "&#39;";
        break;
      default:
        out_ += c;
    }
  }
}

}  // namespace fiducia::report
