using System.Text.Json;
using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Alarms;

/// <summary>Keeps this node's alarms in a file of the data folder, so that a restart does not forget them.</summary>
/// <remarks>Not in the store: that it fails is one of them. A kill may lose the last ones.</remarks>
internal sealed partial class AlarmFile : IHostedService
{
    private readonly AlarmBook book;
    private readonly string path;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private Task writing = Task.CompletedTask;
    private bool isDirty;
    private bool isWriting;
    private bool hasFailed;

    public AlarmFile(AlarmBook book, DataFolder folder, NodeIdentity self, ILogger<AlarmFile> log)
    {
        (this.book, this.log) = (book, log);
        path = Path.Combine(folder.Path, $"alarms-{NodeFileName.Of(self.Name)}.json");
        book.Changed += _ => Write();
        book.Forgotten += Write;
    }

    /// <summary>Reads what an earlier process has left.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!File.Exists(path)) return Task.CompletedTask;
            if (JsonSerializer.Deserialize(File.ReadAllBytes(path), AlarmRecordJson.Default.AlarmRecord) is { Active: not null, History: not null } record) book.Restore(record);
            Write();
        }
        catch (Exception fault) when (fault is JsonException or IOException or UnauthorizedAccessException)
        {
            LogUnreadable(log, path, fault.Message);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => writing.WaitAsync(cancellationToken);

    /// <summary>Writes all, off the caller's thread; once for all changes that come meanwhile.</summary>
    private void Write()
    {
        lock (gate)
        {
            isDirty = true;
            if (isWriting) return;
            isWriting = true;
            writing = Task.Run(WriteAll);
        }
    }

    private void WriteAll()
    {
        while (true)
        {
            lock (gate)
            {
                if (!isDirty)
                {
                    isWriting = false;
                    return;
                }

                isDirty = false;
            }

            TryWrite(JsonSerializer.SerializeToUtf8Bytes(book.Snapshot(), AlarmRecordJson.Default.AlarmRecord));
        }
    }

    private void TryWrite(byte[] content)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path + ".new", content);
            File.Move(path + ".new", path, overwrite: true);
            hasFailed = false;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            if (!hasFailed) LogUnwritten(log, path, fault.Message);
            hasFailed = true;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Alarms of before are forgotten, {Path} cannot be read: {Reason}")]
    private static partial void LogUnreadable(ILogger log, string path, string reason);

    [LoggerMessage(2, LogLevel.Warning, "Alarms will be forgotten by a restart, {Path} cannot be written: {Reason}")]
    private static partial void LogUnwritten(ILogger log, string path, string reason);
}
