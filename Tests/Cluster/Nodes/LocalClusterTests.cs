using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Unit;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>`deploy/local-cluster.sh` as somebody runs it who tries the broker.</summary>
[Collection(BrokerProcessCollection.Name)]
public sealed partial class LocalClusterTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private readonly string folder = Directory.CreateTempSubdirectory("broker-local-").FullName;
    private readonly ConcurrentQueue<string> lines = new();
    private readonly TaskCompletionSource isUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(2, "2")]
    [InlineData(3, "1", "--front-ends", "2")]
    public async Task MessagesPassBetweenNodesAndNothingIsLeft_WhenStartedAndTerminated(int processes, params string[] size)
    {
        var (mqtt, admin) = (FreePorts.Find(2), FreePorts.Find(3));
        using var script = Start([.. size, "--mqtt-port", Text(mqtt), "--admin-port", Text(admin)]);
        var ended = script.WaitForExitAsync();
        try
        {
            await Task.WhenAny(isUp.Task, ended).WaitAsync(Limit);
            Assert.True(isUp.Task.IsCompleted, AllLines());
            var started = Processes();
            Assert.Equal(processes + 1, started.Length);

            using var subscriber = await WireClient.ConnectAsync(mqtt + 1, new ConnectOptions("subscriber") { CleanStart = true });
            await subscriber.SubscribeAsync("hello/#", 1);
            using var publisher = await WireClient.ConnectAsync(mqtt, new ConnectOptions("publisher") { CleanStart = true });
            publisher.Publish("hello/world", "hi", 1, 1);
            await publisher.FlushAsync();
            await publisher.ReadAsync(WirePacket.Puback);
            Assert.Equal("hi", (await subscriber.ReadAsync(WirePacket.Publish)).Payload);

            Assert.Equal(0, Kill(script.Id, 15));
            await ended.WaitAsync(Limit);
            Assert.True(script.ExitCode == 0, AllLines());
            Assert.DoesNotContain(started, id => Directory.Exists($"/proc/{id}"));
            Assert.Empty(Directory.GetDirectories(folder));
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Not within {Limit}: {AllLines()}");
        }
        finally
        {
            if (!script.HasExited) await EndAsync(script, ended);
        }
    }

    /// <summary>Those of the nodes, which the script tells, and that of the database.</summary>
    private int[] Processes() =>
    [
        .. lines.Select(line => ProcessOf().Match(line)).Where(match => match.Success).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)),
        int.Parse(File.ReadAllText(Path.Combine(Assert.Single(Directory.GetDirectories(folder)), "mariadb", "pid")), CultureInfo.InvariantCulture),
    ];

    private Process Start(string[] arguments)
    {
        // The test's own output folder holds the programs.
        var start = new ProcessStartInfo("bash", [Path.Combine(SourceTree.Root, "deploy/local-cluster.sh"), .. arguments, "--programs", AppContext.BaseDirectory])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
        };
        start.Environment["TMPDIR"] = folder;
        var script = new Process { StartInfo = start };
        script.OutputDataReceived += (_, line) => Take(line.Data);
        script.ErrorDataReceived += (_, line) => Take(line.Data);
        script.Start();
        script.BeginOutputReadLine();
        script.BeginErrorReadLine();
        return script;
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lines.Enqueue(line);
        if (line.StartsWith("Ctrl-C ", StringComparison.Ordinal)) isUp.TrySetResult();
    }

    private string AllLines() => string.Join('\n', lines);

    /// <summary>The test has failed: what the script started goes too, in order if it can.</summary>
    private static async Task EndAsync(Process script, Task ended)
    {
        _ = Kill(script.Id, 15);
        try
        {
            await ended.WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            script.Kill(entireProcessTree: true);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@", process (\d+)$")]
    private static partial Regex ProcessOf();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
