using System.Diagnostics;
using System.Globalization;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage.Sqlite;

/// <summary>A second process of this program writes and says what was reported; it is killed in the middle.</summary>
public class KilledProcessTests
{
    private const string PathVariable = "BROKER_STORE_KILLED_PROCESS";
    private const string Prefix = "reported ";

    [Fact]
    public async Task EveryReportedWriteIsThere_WhenTheProcessIsKilled()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is not null) Assert.Skip("This is the process to be killed.");
        var path = TestStore.NewPath();
        var assembly = typeof(KilledProcessTests).Assembly.Location;
        ProcessStartInfo start = new("dotnet", [assembly, "-method", $"{typeof(KilledProcessTests).FullName}.{nameof(WritesUntilKilled_WhenStartedByTheOtherTest)}"])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        start.Environment[PathVariable] = path;
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(60));
        var reported = 0;
        while (await process.StandardError.ReadLineAsync(timeout.Token) is { } line)
        {
            if (!line.StartsWith(Prefix, StringComparison.Ordinal)) continue;
            reported = int.Parse(line[Prefix.Length..], CultureInfo.InvariantCulture);
            if (reported >= 2_000 && !process.HasExited) process.Kill();
        }

        await process.WaitForExitAsync(timeout.Token);
        Assert.True(reported >= 2_000, $"The process reported {reported} writes.");
        await using var test = await TestStore.OpenAsync(path);
        Assert.Empty(test.DatabaseLog.Lines);
        var session = await test.OpenSessionAsync("c");
        Assert.True(session.Queue.Count >= reported, $"{reported} writes were reported, {session.Queue.Count} are there.");
        Assert.Equal(Enumerable.Range(1, session.Queue.Count).Select(i => (long)i), session.Queue.Select(entry => entry.Sequence));
        Assert.Equal(test.Count("receipt"), session.Queue.Count);
    }

    [Fact]
    public async Task WritesUntilKilled_WhenStartedByTheOtherTest()
    {
        var path = Environment.GetEnvironmentVariable(PathVariable);
        Assert.SkipWhen(path is null, "Runs only as the process to be killed.");
        await using var test = await TestStore.OpenAsync(path);
        var lease = await test.CreateAsync("c");
        Reporter reporter = new();
        for (var i = 1; i <= 60_000; i++)
        {
            var append = new AppendToQueue(lease, i, TestStore.Message(payload: $"{i}"), Qos.ExactlyOnce);
            test.Store.Submit(new WriteGroup(append, new AddReceipt(lease, (ushort)i, 7)) { Observer = reporter });
            if (i % 100 == 0) await test.Store.GetOrCreateSettingAsync("pace", "");
        }

        Assert.Fail("Nobody killed this process.");
    }

    private sealed class Reporter : IStoreObserver
    {
        private int count;

        public void Committed(StoreWrite write) => Console.Error.WriteLine($"{Prefix}{++count}");

        public void Failed(StoreWrite write, StoreException reason) => Console.Error.WriteLine($"failed {reason.Message}");
    }
}
