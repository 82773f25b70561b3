using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Tracing;

/// <summary>One trace's file in this process. Whoever adds a line never waits: a task of its own writes.</summary>
internal sealed partial class TraceLog
{
    /// <summary>What may wait to be written.</summary>
    private const int MaxPendingCharacters = 2 * 1024 * 1024;

    /// <summary>Written at once.</summary>
    private const int BatchBytes = 64 * 1024;

    private readonly Channel<string> lines = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly string path;
    private readonly long maxBytes;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private int pending;
    private long dropped;
    private volatile bool isFull;
    private volatile bool isRemoved;

    public TraceLog(Trace trace, string path, long maxBytes, TimeProvider time, ILogger log)
    {
        (Trace, this.path, this.maxBytes, this.time, this.log) = (trace, path, maxBytes, time, log);
        Written = Task.Run(WriteAsync);
    }

    public Trace Trace { get; }

    /// <summary>Completes when everything is written and the file is closed.</summary>
    public Task Written { get; }

    /// <summary>Lines that were not written: they came too fast, or the file is full.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Adds a line. From any thread.</summary>
    public void Add(string line)
    {
        if (!isFull && Interlocked.Add(ref pending, line.Length) <= MaxPendingCharacters && lines.Writer.TryWrite(line)) return;
        if (!isFull) Interlocked.Add(ref pending, -line.Length);
        Interlocked.Increment(ref dropped);
    }

    /// <summary>No line follows; what was added is written.</summary>
    /// <param name="remove">The file is to go.</param>
    public void Close(bool remove = false)
    {
        isRemoved |= remove;
        lines.Writer.TryComplete();
    }

    private async Task WriteAsync()
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using (var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true))
            {
                await CopyAsync(file);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogFailed(log, path, fault.Message);
            await DiscardAsync();
        }

        if (isRemoved) Remove(path, log);
    }

    private async Task CopyAsync(FileStream file)
    {
        var batch = new MemoryStream();
        var (batched, told, length) = (0, 0L, file.CanSeek ? file.Length : 0);
        while (await lines.Reader.WaitToReadAsync())
        {
            while (batch.Length < BatchBytes && lines.Reader.TryRead(out var line))
            {
                Interlocked.Add(ref pending, -line.Length);
                Append(batch, line);
                batched++;
            }

            if (Dropped is var lost && lost > told) Append(batch, Note($"{lost - told} lines were dropped: they came too fast"));
            told = lost;
            if (length + batch.Length > maxBytes)
            {
                await file.WriteAsync(Encoding.UTF8.GetBytes(Note("the file is full") + '\n'));
                Interlocked.Add(ref dropped, batched);
                await DiscardAsync();
                return;
            }

            await file.WriteAsync(batch.GetBuffer().AsMemory(0, (int)batch.Length));
            length += batch.Length;
            batch.SetLength(0);
            batched = 0;
        }
    }

    private async Task DiscardAsync()
    {
        isFull = true;
        await foreach (var _ in lines.Reader.ReadAllAsync()) Interlocked.Increment(ref dropped);
    }

    private string Note(string what) => TraceText.Line(time.GetUtcNow(), "warning", "trace", what);

    private static void Append(MemoryStream batch, string line)
    {
        batch.Write(Encoding.UTF8.GetBytes(line));
        batch.WriteByte((byte)'\n');
    }

    /// <summary>Removes a file that nobody writes any more.</summary>
    public static void Remove(string path, ILogger log)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogFailed(log, path, fault.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Trace file {Path}: {Reason}")]
    private static partial void LogFailed(ILogger log, string path, string reason);
}
