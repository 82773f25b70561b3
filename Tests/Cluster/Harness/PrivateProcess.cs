using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A server's process with a temporary folder of its own. Both go when the test process does, however that ends.</summary>
internal sealed partial class PrivateProcess : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string name;
    private readonly Process watchdog;
    private Process? process;
    private bool isDisposed;

    /// <param name="pidFile">Where the server writes its process number, within the folder. Its command line must name the folder.</param>
    public PrivateProcess(string name, string pidFile)
    {
        this.name = name;
        Folder = Directory.CreateTempSubdirectory($"broker-{name}-").FullName;
        watchdog = Process.Start(new ProcessStartInfo("sh",
        [
            "-c",
            """
            trap '' INT TERM
            cat > /dev/null
            if [ -f "$1/$2" ] && read -r pid < "$1/$2" && grep -q "$1" "/proc/$pid/cmdline" 2> /dev/null; then
                for child in $(cat "/proc/$pid/task/$pid/children" 2> /dev/null); do kill -9 "$child"; done
                kill -9 "$pid"
            fi
            rm -rf "$1"
            """,
            "watchdog", Folder, pidFile,
        ])
        { RedirectStandardInput = true })!;
    }

    public string Folder { get; }

    /// <summary>Where a program is.</summary>
    /// <param name="package">What apt has it in.</param>
    public static string Program(string name, string package, params string[] further)
    {
        string[] places = [.. further, .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin"];
        return Array.Find(Array.ConvertAll(places, place => Path.Combine(place, name)), File.Exists)
            ?? throw new FileNotFoundException($"'{name}' is missing: Tests/run.sh installs it, or apt-get install {package}.");
    }

    /// <summary>Runs a program to its end, which must be a good one; what it wrote.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var run = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = string.Concat(await Task.WhenAll(run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync()).WaitAsync(Limit));
        await run.WaitForExitAsync().WaitAsync(Limit);
        Assert.True(run.ExitCode == 0, $"{program} failed: {output}");
        return output;
    }

    /// <summary>Starts the server and waits until it answers.</summary>
    public async Task StartAsync(string program, string[] arguments, Func<Task<bool>> answers)
    {
        process?.Dispose();
        process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var clock = Stopwatch.StartNew();
        while (!await answers())
        {
            if (process.HasExited) Assert.Fail($"{name} ended with {process.ExitCode} instead of starting:\n{string.Concat(await output)}");
            if (clock.Elapsed > Limit) Assert.Fail($"{name} does not answer after {Limit}.");
            await Task.Delay(20);
        }
    }

    /// <summary>kill -9, its children too.</summary>
    public async Task KillAsync()
    {
        if (process is null or { HasExited: true }) return;
        var children = Children();
        Send(process.Id, 9);
        foreach (var child in children) Send(child, 9);
        await process.WaitForExitAsync().WaitAsync(Limit);
        var clock = Stopwatch.StartNew();
        // They hold what a new server needs.
        while (children.Any(child => Directory.Exists($"/proc/{child}") && !IsZombie(child)))
        {
            if (clock.Elapsed > Limit) Assert.Fail($"Processes of {name} do not end.");
            await Task.Delay(5);
        }
    }

    /// <summary>SIGSTOP: connections stay, nothing answers.</summary>
    public void Freeze()
    {
        Send(process!.Id, 19); // first, so that it makes no more children
        foreach (var child in Children()) Send(child, 19);
        Assert.True(SpinWait.SpinUntil(() => Children().Append(process.Id).All(IsStopped), Limit)); // each of their threads in its own time
    }

    /// <summary>SIGCONT.</summary>
    public void Thaw()
    {
        foreach (var child in Children()) Send(child, 18);
        Send(process!.Id, 18);
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        await KillAsync();
        process?.Dispose();
        watchdog.StandardInput.Close();
        await watchdog.WaitForExitAsync().WaitAsync(Limit);
        watchdog.Dispose();
    }

    private int[] Children()
    {
        var file = string.Create(CultureInfo.InvariantCulture, $"/proc/{process!.Id}/task/{process.Id}/children");
        return File.Exists(file) ? [.. File.ReadAllText(file).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(child => int.Parse(child, CultureInfo.InvariantCulture))] : [];
    }

    private static bool IsStopped(int id) => Directory.GetDirectories($"/proc/{id}/task").All(thread => File.ReadAllText(Path.Combine(thread, "stat")).Contains(") T", StringComparison.Ordinal));

    private static bool IsZombie(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/stat").Contains(") Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <remarks>A child may have gone meanwhile.</remarks>
    private static void Send(int id, int signal) => _ = Kill(id, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
