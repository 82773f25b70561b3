using System.Globalization;
using System.Text;

namespace Broker.Gateway.Admin.Audit;

/// <summary>A node's entries on the disk, a line each, in numbered files of which the oldest go. One writer; readers beside it.</summary>
/// <param name="folder">Made when it is first written to.</param>
/// <param name="node">The node's name as part of a file's.</param>
/// <param name="maxEntries">At least so many are kept, if they are not too old, and at most an eighth more.</param>
internal sealed class AuditFiles(string folder, string node, int maxEntries, TimeSpan retention, TimeProvider time) : IDisposable
{
    private const int Files = 8;
    private readonly int linesPerFile = Math.Max(1, maxEntries / Files);
    private FileStream? current;
    private int linesInCurrent;
    private long number;

    /// <summary>Adds lines, each with its line feed, and returns when the disk has them.</summary>
    public void Append(IReadOnlyList<byte[]> lines)
    {
        try
        {
            foreach (var line in lines)
            {
                if (current is null || linesInCurrent >= linesPerFile) Open();
                current!.Write(line);
                linesInCurrent++;
            }

            current?.Flush(flushToDisk: true);
        }
        catch
        {
            Dispose(); // half a line may have been written: the next ones go to another file
            throw;
        }
    }

    /// <summary>All lines there are, the newest first, but for those that are too old or too many.</summary>
    public IEnumerable<byte[]> Read()
    {
        var left = maxEntries;
        var oldest = time.GetUtcNow() - retention;
        foreach (var (path, _) in List().OrderByDescending(file => file.Number))
        {
            if (!TryRead(path, out var lines)) continue;
            for (var at = lines.Length - 1; at >= 0 && left > 0; at--)
            {
                if (lines[at].Length == 0) continue;
                left--;
                yield return Encoding.UTF8.GetBytes(lines[at]);
            }

            if (left == 0 || File.GetLastWriteTimeUtc(path) < oldest) yield break;
        }
    }

    public void Dispose()
    {
        current?.Dispose();
        current = null;
    }

    private void Open()
    {
        current?.Dispose();
        current = null;
        Directory.CreateDirectory(folder);
        var files = List().OrderBy(file => file.Number).ToArray();
        if (number == 0 && files.Length > 0 && TryContinue(files[^1])) return;
        number = Math.Max(number, files.Length == 0 ? 0 : files[^1].Number) + 1;
        current = new FileStream(Path.Combine(folder, $"audit-{node}-{number.ToString("D8", CultureInfo.InvariantCulture)}.jsonl"), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        linesInCurrent = 0;
        DropOldest(files);
    }

    /// <summary>Goes on with the last file of an earlier process, if it has room and ends with a whole line.</summary>
    private bool TryContinue((string Path, long Number) last)
    {
        if (!TryRead(last.Path, out var lines) || lines[^1].Length > 0 || lines.Length > linesPerFile) return false;
        current = new FileStream(last.Path, FileMode.Append, FileAccess.Write, FileShare.Read);
        (number, linesInCurrent) = (last.Number, lines.Length - 1);
        return true;
    }

    private void DropOldest((string Path, long Number)[] files)
    {
        var oldest = time.GetUtcNow() - retention;
        // Files that a restart left unfilled count as what they hold.
        var kept = linesPerFile;
        foreach (var (path, _) in files.Reverse())
        {
            if (kept >= maxEntries + linesPerFile || File.GetLastWriteTimeUtc(path) < oldest) File.Delete(path);
            else kept += CountLines(path);
        }
    }

    private static int CountLines(string path) => TryRead(path, out var lines) ? lines.Count(line => line.Length > 0) : 0;

    private static bool TryRead(string path, out string[] lines)
    {
        try
        {
            using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            lines = reader.ReadToEnd().Split('\n');
            return true;
        }
        catch (FileNotFoundException)
        {
            lines = []; // it went meanwhile
            return false;
        }
    }

    private IEnumerable<(string Path, long Number)> List()
    {
        if (!Directory.Exists(folder)) yield break;
        var prefix = $"audit-{node}-";
        foreach (var path in Directory.EnumerateFiles(folder, "audit-*.jsonl"))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (name.StartsWith(prefix, StringComparison.Ordinal) && long.TryParse(name[prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) yield return (path, number);
        }
    }
}
