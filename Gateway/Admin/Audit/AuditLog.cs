using System.Text.Json;
using Broker.Gateway.Alarms;
using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin.Audit;

/// <summary>Who changed what on this node, and from where. Thread-safe.</summary>
/// <remarks>What is written while the disk is busy goes to it together. If it takes nothing the change happens all the same; an alarm says so.</remarks>
internal sealed partial class AuditLog : IDisposable
{
    /// <summary>The alarm while entries are lost.</summary>
    public const string Alarm = "audit_failing";

    private readonly AuditFiles files;
    private readonly AlarmBook alarms;
    private readonly TimeProvider time;
    private readonly TimeSpan retention;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private List<byte[]> waiting = [];
    private TaskCompletionSource written = NewSource();
    private bool isWriting;
    private bool isFailing;

    public AuditLog(IOptions<AuditOptions> options, DataFolder data, NodeIdentity self, AlarmBook alarms, TimeProvider time, ILogger<AuditLog> log)
    {
        (this.alarms, this.time, this.log, retention) = (alarms, time, log, options.Value.Retention);
        Folder = options.Value.Directory.Length > 0 ? Path.GetFullPath(options.Value.Directory) : Path.Combine(data.Path, "audit");
        files = new AuditFiles(Folder, NodeFileName.Of(self.Name), options.Value.MaxEntries, retention, time);
    }

    /// <summary>Where the files are.</summary>
    public string Folder { get; }

    /// <summary>Keeps an entry.</summary>
    /// <returns>Ends when the disk has it, or cannot have it.</returns>
    public Task AddAsync(AuditEntry entry)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(entry, AuditJson.Default.AuditEntry), (byte)'\n'];
        lock (gate)
        {
            waiting.Add(line);
            if (!isWriting)
            {
                isWriting = true;
                _ = Task.Run(WriteAll);
            }

            return written.Task;
        }
    }

    /// <summary>Entries that match, the newest first.</summary>
    public IEnumerable<(AuditEntry Entry, byte[] Row)> Read(AuditFilter filter)
    {
        var oldest = AuditTime.Format(time.GetUtcNow() - retention);
        foreach (var row in files.Read())
        {
            AuditEntry? entry;
            try
            {
                entry = JsonSerializer.Deserialize(row, AuditJson.Default.AuditEntry);
            }
            catch (JsonException)
            {
                continue; // a process died while it wrote this
            }

            if (entry is not null && string.CompareOrdinal(entry.At, oldest) >= 0 && filter.Matches(entry)) yield return (entry, row);
        }
    }

    public void Dispose() => files.Dispose();

    private void WriteAll()
    {
        while (true)
        {
            List<byte[]> lines;
            TaskCompletionSource done;
            lock (gate)
            {
                if (waiting.Count == 0)
                {
                    isWriting = false;
                    return;
                }

                (lines, waiting, done, written) = (waiting, [], written, NewSource());
            }

            TryWrite(lines);
            done.SetResult();
        }
    }

    private void TryWrite(List<byte[]> lines)
    {
        try
        {
            files.Append(lines);
            if (isFailing) alarms.Deactivate(Alarm);
            isFailing = false;
        }
        catch (Exception fault) // the boundary of the writer: callers wait for it
        {
            BrokerCounters.Add(Metric.AuditFailed, lines.Count);
            if (!isFailing) LogFailed(log, Folder, fault.Message);
            isFailing = true;
            alarms.Activate(Alarm, $"Changes are not kept, {Folder} cannot be written: {fault.Message}");
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(1, LogLevel.Warning, "Changes over the HTTP API are not kept, {Folder} cannot be written: {Reason}. They happen all the same, and stand in this log")]
    private static partial void LogFailed(ILogger log, string folder, string reason);
}
