// SPDX-License-Identifier: Apache-2.0
#include "json/error.h"

namespace fiducia::json {

void write_error(Writer& json, const Error& error, bool with_path) {
  json.open_object();
  json.member("code", code_word(error));
  json.member("text", error.what);
  if (with_path && !error.where.file.empty()) json.member("path", error.where.file);
  if (error.where.offset) json.member("offset", *error.where.offset);
  if (!error.where.element.empty()) json.member("attribute", error.where.element);
  if (!error.remedy.empty()) json.member("remedy", error.remedy);
  json.close_object();
}

std::string error_line(const Error& error) {
  Writer json;
  json.open_object();
  json.member("schema", "fiducia.error/1");
  json.key("error");
  write_error(json, error, /*with_path=*/true);
  json.close_object();
  return json.take();
}

}  // namespace fiducia::json
