// SPDX-License-Identifier: Apache-2.0
#include "inputs.h"

#include <algorithm>
#include <set>

#include "seal/seal.h"

namespace fiducia::app {

Result<std::vector<Input>> find_inputs(const std::vector<std::string>& paths) {
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
    FIDUCIA_TRY(files, list_files(path));
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

Result<dicom::File> open_input(const Input& input) {
  if (!input.is_stdin()) return dicom::File::open(input.path);
  FIDUCIA_TRY(bytes, read_stdin(limits::stream_bytes_max));
  return dicom::File::read(std::move(bytes));
}

}  // namespace fiducia::app
