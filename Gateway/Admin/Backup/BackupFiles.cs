using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin.Backup;

/// <summary>A document in this process's folder.</summary>
internal sealed record BackupFile(string Name, long Size, DateTimeOffset CreatedAt);

/// <summary>The documents in this process's folder of backups. Only this process's user may read them.</summary>
internal sealed partial class BackupFiles(IOptions<ManagementOptions> options, IConfiguration configuration, TimeProvider time)
{
    private readonly string folder = Path.GetFullPath(options.Value.BackupDirectory is { Length: > 0 } own ? own : Path.Combine(configuration["Storage:DataDirectory"] ?? "data", "backup"));

    /// <summary>The largest document that is written or taken.</summary>
    public long MaxBytes => options.Value.MaxBackupBytes;

    /// <summary>Whether something can be the name of a document: it leads nowhere else.</summary>
    public static bool IsName(string name) => name.Length <= 200 && Names().IsMatch(name);

    /// <summary>A name for a document of now, as EMQ X makes them; the second of one second has a number behind it.</summary>
    public string NewName()
    {
        var now = TimeZoneInfo.ConvertTime(time.GetUtcNow(), time.LocalTimeZone);
        var name = string.Create(CultureInfo.InvariantCulture, $"emqx-export-{now:yyyy-M-d-H-m-s}");
        for (var number = 1; ; number++)
        {
            var one = number == 1 ? $"{name}.json" : $"{name}-{number}.json";
            if (Find(one) is null) return one;
        }
    }

    /// <summary>The documents, the oldest first.</summary>
    public BackupFile[] List() => !Directory.Exists(folder)
        ? []
        : [.. new DirectoryInfo(folder).GetFiles("*.json").Where(file => IsName(file.Name)).OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal).Select(Describe)];

    /// <returns>Null if there is none of that name.</returns>
    public BackupFile? Find(string name) => IsName(name) && new FileInfo(PathOf(name)) is { Exists: true } file ? Describe(file) : null;

    /// <summary>Writes a document, which is there when it is whole; one of that name is replaced.</summary>
    /// <exception cref="IOException">It cannot be written, there are too many, or it is too large.</exception>
    public async Task<BackupFile> WriteAsync(string name, Func<Stream, Task> write)
    {
        Directory.CreateDirectory(folder);
        if (Find(name) is null && List().Length >= options.Value.MaxBackups) throw new IOException($"too_many_files: delete some, or raise {ManagementOptions.Section}:{nameof(options.Value.MaxBackups)}");
        var unfinished = PathOf($".{name}.{Guid.NewGuid():N}");
        try
        {
            await using (var file = new FileStream(unfinished, Private(FileMode.CreateNew)))
            {
                await write(file);
                await file.FlushAsync();
                if (file.Length > MaxBytes) throw new IOException($"too_large: raise {ManagementOptions.Section}:{nameof(options.Value.MaxBackupBytes)}");
                file.Flush(flushToDisk: true);
            }

            File.Move(unfinished, PathOf(name), overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }

        return Find(name)!;
    }

    /// <summary>Reads a part of a document.</summary>
    /// <returns>Null if there is none of that name; less than was asked for at its end.</returns>
    public async Task<byte[]?> ReadAsync(string name, long offset, int count)
    {
        if (Find(name) is null) return null;
        try
        {
            await using var file = File.OpenRead(PathOf(name));
            file.Seek(offset, SeekOrigin.Begin);
            var bytes = new byte[Math.Clamp(file.Length - offset, 0, count)];
            return bytes[..await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <returns>False if there is none of that name.</returns>
    public bool Delete(string name)
    {
        if (Find(name) is null) return false;
        File.Delete(PathOf(name));
        return true;
    }

    private static BackupFile Describe(FileInfo file) => new(file.Name, file.Length, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero));

    private static FileStreamOptions Private(FileMode mode)
    {
        var opened = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows()) opened.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return opened;
    }

    private string PathOf(string name) => Path.Combine(folder, name);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]*\.json$")]
    private static partial Regex Names();
}
