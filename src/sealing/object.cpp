// SPDX-License-Identifier: Apache-2.0
#include "sealing/object.h"

#include <unistd.h>

#include <utility>

namespace fiducia::sealing {

Object object_in_file(const std::filesystem::path& path) {
  return {.name = path.string(), .open = [path] { return dicom::File::open(path); }};
}

Object object_in_memory(Bytes bytes, std::string name) {
  auto shared = std::make_shared<const Bytes>(std::move(bytes));
  return {.name = name, .open = [shared, name] { return dicom::File::read(shared, name); }};
}

Object object_in_spool(MappedFile spool, std::string name) {
  auto shared = std::make_shared<const MappedFile>(std::move(spool));
  return {.name = name, .open = [shared, name] { return dicom::File::read(shared, name); }};
}

Object object_of(const Input& input) {
  if (!input.is_stdin()) return object_in_file(input.path);
  std::string name = input.path.string();
  auto spool = std::make_shared<std::shared_ptr<const MappedFile>>();
  return {.name = name, .open = [spool, name]() -> Result<dicom::File> {
            if (!*spool) {
              FIDUCIA_TRY(spooled, MappedFile::spool(STDIN_FILENO, limits::stream_bytes_max, name));
              *spool = std::make_shared<const MappedFile>(std::move(spooled));
            }
            return dicom::File::read(*spool, name);
          }};
}

}  // namespace fiducia::sealing
