// SPDX-License-Identifier: Apache-2.0
#include "sealing/inputs.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "evidence/evidence.h"
#include "home/home.h"
#include "seal/seal.h"

namespace fiducia::sealing {

Result<std::vector<Input>> find_inputs(const std::vector<std::string>& paths,
                                       std::vector<LeftOut>* left_out) {
  std::vector<Input> inputs;
  std::set<std::filesystem::path> seen;
  for (const std::string& name : paths) {
    const std::filesystem::path path{name};
    std::error_code error;
    if (name == "-" || !std::filesystem::is_directory(path, error)) {
      if (!seen.insert(name == "-" ? path : path.lexically_normal()).second) {
        if (name != "-") continue;
        return fail(ErrorCode::usage_invalid, "\"-\" is named twice.",
                    "Standard input can be read once.");
      }
      inputs.push_back({.path = path, .relative = path.filename(), .is_explicit = true});
      continue;
    }
    FIDUCIA_TRY(files, list_files(path, left_out));
    inputs.reserve(inputs.size() + files.size());
    for (std::filesystem::path& file : files) {
      if (file.extension() == ".evidence") continue;
      if (!seen.insert(file.lexically_normal()).second) continue;
      std::filesystem::path relative = file.lexically_relative(path);
      inputs.push_back({.path = std::move(file), .relative = std::move(relative)});
    }
  }
  return inputs;
}

bool is_no_image(const Input& input, const Error& error) {
  if (input.is_explicit || error.code != ErrorCode::malformed || error.kind != "not_dicom" ||
      dicom::has_image_name(input.path))
    return false;
  std::error_code ignored;
  if (std::filesystem::exists(evidence::sidecar_path(input.path), ignored)) return false;
  // Some readers look for the prefix elsewhere than in its place.
  constexpr std::size_t head_bytes = 4096;
  const auto file = MappedFile::open(input.path);
  if (!file) return false;
  const ByteView head = file->bytes().first(std::min(file->bytes().size(), head_bytes));
  return as_text(head).find("DICM") == std::string_view::npos;
}

OutputRules output_rules(std::string kind, std::function<bool(ByteView)> is_kind,
                         const std::string& home_option, const std::vector<Input>& inputs,
                         const std::vector<std::string>& further) {
  OutputRules rules{.kind = std::move(kind), .is_kind = std::move(is_kind)};
  for (const Input& input : inputs)
    if (!input.is_stdin()) rules.inputs.push_back(input.path);
  for (const std::string& path : further)
    if (!path.empty()) rules.inputs.emplace_back(path);
  if (const auto home = home::locate_home(home_option); home && home::is_home(*home))
    rules.folders.push_back(*home);
  return rules;
}

Result<dicom::File> open_input(const Input& input) {
  if (!input.is_stdin()) return dicom::File::open(input.path);
  FIDUCIA_TRY(spooled, MappedFile::spool(STDIN_FILENO, limits::stream_bytes_max, input.path));
  return dicom::File::read(std::move(spooled));
}

}  // namespace fiducia::sealing
