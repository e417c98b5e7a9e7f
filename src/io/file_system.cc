#include "io/file_system.h"

#include "io/path.h"

namespace gauntlet::io {

Status FileSystem::WriteAtomically(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  auto write = [&]() -> Status {
    GN_ASSIGN(auto file, Create(temporary));
    GN_TRY(file->Append(bytes));
    GN_TRY(file->Sync());
    file.reset();
    return Rename(temporary, path);
  };
  if (Status status = write(); !status.ok()) {
    (void)RemoveFile(temporary);  // of a failed attempt: what matters is the first error
    return status;
  }
  return SyncDirectory(std::string(DirName(path)));
}

}  // namespace gauntlet::io
