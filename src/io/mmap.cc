#include "io/mmap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "io/errno_status.h"

namespace gauntlet::io {

Result<std::unique_ptr<MappedFile>> MappedFile::Map(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("open", path);
  struct stat info;
  Status status;
  void* memory = nullptr;
  size_t size = 0;
  if (fstat(fd, &info) != 0) {
    status = ErrnoStatus("stat", path);
  } else if (size = static_cast<size_t>(info.st_size); size > 0) {  // an empty file cannot be mapped
    memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) status = ErrnoStatus("mmap", path);
  }
  close(fd);
  if (!status.ok()) return status;
  if (size == 0) return std::make_unique<MappedFile>(std::string());
  return std::unique_ptr<MappedFile>(new MappedFile(std::string_view(static_cast<const char*>(memory), size)));
}

MappedFile::MappedFile(std::string bytes) : mapped_(false), heap_(std::move(bytes)), bytes_(heap_) {}

MappedFile::~MappedFile() {
  if (mapped_) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

void MappedFile::Advise(Access access, size_t offset, size_t size) const {
  if (!mapped_ || offset >= bytes_.size()) return;
  constexpr int kAdvice[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_DONTNEED};
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t end = std::min(bytes_.size(), offset + std::min(size, bytes_.size()));
  size_t begin = offset / page * page;
  madvise(const_cast<char*>(bytes_.data()) + begin, end - begin, kAdvice[static_cast<size_t>(access)]);
}

}  // namespace gauntlet::io
