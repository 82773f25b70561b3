using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using DotNetty.Common.Concurrency;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Tracing;

/// <summary>Follows the cluster's traces: begins and ends their files in this process, and tells connections what traces them.</summary>
/// <remarks>A connection decides when it connects, and again when traces change; while there is none it has no tracer, which is all that a packet looks at.</remarks>
internal sealed class Traces : BackgroundService
{
    private const string FilePrefix = "trace_";

    /// <summary>Connections of one loop that decide at a stretch.</summary>
    private const int Stretch = 4096;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly TraceTable table;
    private readonly ConnectionTable connections;
    private readonly TraceOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<Traces> log;
    private readonly Lock gate = new();
    private readonly Dictionary<string, TraceLog> logs = new(StringComparer.Ordinal);
    private volatile TraceSet? current;

    public Traces(TraceTable table, ConnectionTable connections, IOptions<TraceOptions> trace, TimeProvider time, ILogger<Traces> log)
    {
        (this.table, this.connections, options, this.time, this.log) = (table, connections, trace.Value, time, log);
        Folder = Path.GetFullPath(options.Directory!);
        table.Updated += Follow;
    }

    /// <summary>Where the files lie.</summary>
    public string Folder { get; }

    /// <summary>What traces a connection; null if nothing does. On its event loop.</summary>
    public ConnectionTracer? TracerFor(ClientInfo client) => current?.TracerFor(client);

    /// <summary>A subscriber does not get a message.</summary>
    public void Dropped(string clientId, ApplicationMessage message, string reason) =>
        current?.Note(clientId, message.Topic.Text, "warning", $"dropped: topic: {TraceText.Quote(message.Topic.Text)}, reason: {reason}");

    /// <summary>A message has reached nobody.</summary>
    public void Unrouted(ApplicationMessage message, string reason) =>
        current?.Note(message.PublisherId, message.Topic.Text, "debug", $"PUBLISH dropped: topic: {TraceText.Quote(message.Topic.Text)}, reason: {reason}");

    /// <summary>A session has ended.</summary>
    public void SessionEnded(string clientId, string reason) => current?.Note(clientId, null, "info", $"session {reason}");

    /// <summary>The file of a trace in this process.</summary>
    /// <remarks>Names may be longer than file systems let them.</remarks>
    public string PathOf(string name, Trace trace) => Path.Combine(Folder, name.Length <= 128
        ? $"{FilePrefix}{name}_{trace.Id}.log"
        : $"{FilePrefix}{name[..64]}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..16]}_{trace.Id}.log");

    /// <summary>How many lines of a trace this process has not written since it traces.</summary>
    public long DroppedOf(string id)
    {
        lock (gate) return logs.TryGetValue(id, out var found) ? found.Dropped : 0;
    }

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        RemoveStaleFiles();
        Follow(null);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        table.Updated -= Follow;
        await base.StopAsync(cancellationToken);
        Task[] writing;
        lock (gate)
        {
            current = null;
            foreach (var one in logs.Values) one.Close();
            writing = [.. logs.Values.Select(one => one.Written)];
        }

        await Task.WhenAll(writing).WaitAsync(cancellationToken);
    }

    /// <summary>Traces begin and end by the clock too.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Second, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (table.Count > 0) Follow(null);
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops, or could not start.
        }
    }

    private void Follow(TraceTable.Entry? before)
    {
        lock (gate)
        {
            var now = time.GetUtcNow().ToUnixTimeSeconds();
            var wanted = table.All.Where(entry => entry.Value.StatusAt(now) == TraceStatus.Running).ToDictionary(entry => entry.Value.Id);
            var (wasWriting, changed) = (before is not null && logs.ContainsKey(before.Value.Id), false);
            foreach (var (id, one) in logs.Where(pair => !wanted.ContainsKey(pair.Key)).ToArray())
            {
                one.Close(remove: IsGone(before, id));
                logs.Remove(id);
                changed = true;
            }

            if (before is not null && !wasWriting && IsGone(before, before.Value.Id)) _ = Task.Run(() => TraceLog.Remove(PathOf(before.Key, before.Value), log));
            foreach (var (id, entry) in wanted.Where(pair => !logs.ContainsKey(pair.Key)))
            {
                logs[id] = new TraceLog(entry.Value, PathOf(entry.Key, entry.Value), options.MaxFileBytes, time, log);
                changed = true;
            }

            if (!changed) return;
            current = logs.Count > 0 ? new TraceSet(logs.Values, options.Payload == "text", time) : null;
        }

        Retrace();
    }

    /// <summary>Whether a trace was removed, and not only stopped.</summary>
    private bool IsGone(TraceTable.Entry? before, string id) => before is not null && before.Value.Id == id && table.Find(before.Key)?.Value.Id != id;

    /// <summary>Every connection decides anew. Those that come meanwhile see the new traces, and those that came before are in the table.</summary>
    private void Retrace()
    {
        foreach (var some in connections.Enumerate().GroupBy(connection => connection.Loop).SelectMany(group => group.Chunk(Stretch)))
        {
            try
            {
                some[0].Loop.Loop.Execute(() => Array.ForEach(some, connection => connection.Retrace()));
            }
            catch (RejectedExecutionException)
            {
                // The loop has ended, and with it its connections.
            }
        }
    }

    /// <summary>Files of traces that were removed while this process was away.</summary>
    private void RemoveStaleFiles()
    {
        if (!Directory.Exists(Folder)) return;
        var known = table.All.Select(entry => PathOf(entry.Key, entry.Value)).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(Folder, $"{FilePrefix}*.log").Where(path => !known.Contains(path))) TraceLog.Remove(path, log);
    }
}
