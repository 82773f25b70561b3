using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>The real broker as a process of its own, on a free port and a data folder of its own; may be killed and started again on the same data.</summary>
internal sealed partial class BrokerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(45);

    private readonly Dictionary<string, string> settings = [];
    private readonly ConcurrentQueue<string> errors = new();
    private readonly bool ownsFolder;
    private ConcurrentQueue<string> lines = new();
    private Process? process;
    private TaskCompletionSource<int> ready = NewReady();
    private Task drained = Task.CompletedTask;

    public BrokerProcess(string? dataDirectory = null)
    {
        ownsFolder = dataDirectory is null;
        DataDirectory = dataDirectory ?? Directory.CreateTempSubdirectory("broker-test-").FullName;
        Set("Storage:DataDirectory", DataDirectory);
        Set("Gateway:Port", "0");
        Set("Admin:Port", "0");
        Set("Admin:DashboardPort", "0");
    }

    /// <summary>Where its data lies.</summary>
    public string DataDirectory { get; }

    public string DatabasePath => Path.Combine(DataDirectory, "broker.db");

    /// <summary>Which program it is.</summary>
    public string Program { get; init; } = "Broker.Gateway.dll";

    /// <summary>How many files and sockets the process may have open; 0 leaves what is usual.</summary>
    public int DescriptorLimit { get; init; }

    /// <summary>Where its clients reach it.</summary>
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>The command that runs it, with a space at its end: `ip netns exec cut `.</summary>
    public string Runner { get; set; } = "";

    /// <summary>Completes with the port when the broker is ready; a new one after each kill.</summary>
    public Task<int> Ready => ready.Task;

    /// <summary>Where it answers over HTTP, once it is ready.</summary>
    public int AdminPort { get; private set; }

    /// <summary>The process as the system knows it.</summary>
    public int ProcessId => process!.Id;

    /// <summary>It runs, or is stopped by a signal.</summary>
    public bool IsRunning => process is { HasExited: false };

    /// <summary>How long the last start took, from the process's start to its ready message.</summary>
    public TimeSpan StartTime { get; private set; }

    /// <summary>What the last process wrote, both streams.</summary>
    public IReadOnlyCollection<string> Output => lines;

    /// <summary>What the last process wrote, as one text for messages.</summary>
    public string AllOutput => string.Join('\n', lines);

    /// <summary>Changes a setting for the next start: `Gateway:Port`.</summary>
    public BrokerProcess Set(string key, string value)
    {
        settings["Broker__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return this;
    }

    public static async Task<BrokerProcess> StartNewAsync(string? dataDirectory = null, params (string Key, string Value)[] settings)
    {
        var broker = new BrokerProcess(dataDirectory);
        foreach (var (key, value) in settings) broker.Set(key, value);
        await broker.StartAsync();
        return broker;
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAsync()
    {
        Launch();
        var gone = process!.WaitForExitAsync();
        if (await Task.WhenAny(Ready, gone).WaitAsync(StartLimit) != Ready)
        {
            await drained;
            Assert.Fail($"The broker ended with {process.ExitCode} instead of starting:\n{AllOutput}");
        }
    }

    /// <summary>Starts it without waiting, as when it is not to become ready.</summary>
    public void Launch()
    {
        lines = new ConcurrentQueue<string>();
        if (ready.Task.IsCompleted) ready = NewReady();
        // The test's own output folder holds the gateway with all it needs, built with the same configuration.
        var program = Path.Combine(AppContext.BaseDirectory, Program);
        ProcessStartInfo start = new("sh", ["-c", $"{(DescriptorLimit > 0 ? $"ulimit -n {DescriptorLimit} && " : "")}exec {Runner}dotnet '{program}'"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = DataDirectory,
        };
        foreach (var (key, value) in settings) start.Environment[key] = value;
        var clock = Stopwatch.StartNew();
        process = Process.Start(start)!;
        drained = Task.WhenAll(CollectAsync(process.StandardOutput, clock, ready), CollectAsync(process.StandardError, clock, ready));
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        ready = NewReady();
        Send(9);
        await EndAsync();
    }

    /// <summary>SIGTERM; its exit code and how long it took.</summary>
    public async Task<(int Code, TimeSpan Time)> TerminateAsync()
    {
        ready = NewReady();
        var clock = Stopwatch.StartNew();
        Send(15);
        var code = await EndAsync();
        return (code, clock.Elapsed);
    }

    /// <summary>SIGSTOP.</summary>
    public void Freeze() => Send(19);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Send(18);

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        try
        {
            await process!.WaitForExitAsync().WaitAsync(StartLimit);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Process {process!.Id} did not end within {StartLimit}:\n{AllOutput}");
        }

        await drained;
        return process!.ExitCode;
    }

    /// <summary>Waits until its log holds so many lines that contain a text.</summary>
    public async Task WaitForLogAsync(string text, TimeSpan limit, int times = 1)
    {
        var until = Stopwatch.StartNew();
        while (lines.Count(line => line.Contains(text, StringComparison.Ordinal)) < times)
        {
            if (until.Elapsed > limit) Assert.Fail($"The log does not say '{text}' {times} times after {limit}:\n{AllOutput}");
            await Task.Delay(20);
        }
    }

    /// <summary>Lines at level Error or Critical of the last process.</summary>
    public string[] Errors() => [.. lines.Where(IsError)];

    /// <summary>Lines at level Error or Critical of all processes so far.</summary>
    public IReadOnlyCollection<string> AllErrors => errors;

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            Send(9);
            await process.WaitForExitAsync();
        }

        process?.Dispose();
        if (ownsFolder) Directory.Delete(DataDirectory, recursive: true);
    }

    /// <summary>Everything all processes of this test run write also goes here, if a folder is named.</summary>
    private static readonly string? LogFolder = Environment.GetEnvironmentVariable("BROKER_TESTS_LOGS");

    private async Task CollectAsync(StreamReader from, Stopwatch clock, TaskCompletionSource<int> whenReady)
    {
        var port = 0;
        while (await from.ReadLineAsync() is { } line)
        {
            lines.Enqueue(line);
            if (LogFolder is not null) await File.AppendAllTextAsync(Path.Combine(LogFolder, $"{Path.GetFileName(DataDirectory)}.log"), line + '\n');
            if (IsError(line)) errors.Enqueue(line);
            if (AdminLine().Match(line) is { Success: true } admin) AdminPort = int.Parse(admin.Groups[1].Value, CultureInfo.InvariantCulture);
            if (PortLine().Match(line) is { Success: true } found) port = int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture);
            if (line != "Stop with Ctrl-C.") continue;
            StartTime = clock.Elapsed;
            whenReady.TrySetResult(port);
        }
    }

    private static bool IsError(string line) => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal);

    private void Send(int signal) => Assert.Equal(0, Kill(process!.Id, signal));

    private static TaskCompletionSource<int> NewReady() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [GeneratedRegex(@"^MQTT .* on port (\d+) ")]
    private static partial Regex PortLine();

    [GeneratedRegex(@"^Health: curl http://localhost:(\d+)/")]
    private static partial Regex AdminLine();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
