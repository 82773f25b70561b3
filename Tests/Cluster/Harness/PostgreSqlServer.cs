using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Npgsql;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A PostgreSQL server of the tests' own: a temporary folder, a free port of 127.0.0.1. May be killed, frozen and started again on the same data.</summary>
/// <remarks>It refuses to be root's: then it is nobody's.</remarks>
internal sealed partial class PostgreSqlServer : IAsyncDisposable
{
    public const string User = "broker", Password = "broker-test";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string folder = Directory.CreateTempSubdirectory("broker-postgresql-").FullName;
    private readonly Process watchdog;
    private Process? process;

    private PostgreSqlServer() => watchdog = StartWatchdog();

    /// <summary>Its port, the same after every start.</summary>
    public int Port { get; } = FreePorts.Find();

    private string Data => Path.Combine(folder, "data");

    /// <summary>Makes an empty server and starts it.</summary>
    public static async Task<PostgreSqlServer> StartNewAsync()
    {
        var server = new PostgreSqlServer();
        try
        {
            await server.InstallAsync();
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs statements.</summary>
    public async Task ExecuteAsync(string sql)
    {
        var text = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1", Port = Port, Username = User, Password = Password, Database = "postgres", Pooling = false, Timeout = 5, CommandTimeout = 5,
        };
        await using var connection = new NpgsqlConnection(text.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the tests
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Starts it on the data it has, and waits until it takes connections.</summary>
    public async Task StartAsync()
    {
        process = Start("postgres", "-D", Data, "-p", Port.ToString(CultureInfo.InvariantCulture), "-k", folder, "-h", "127.0.0.1", "-F");
        var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        for (var clock = Stopwatch.StartNew(); !await AnswersAsync(); await Task.Delay(20))
        {
            if (process.HasExited) Assert.Fail($"PostgreSQL ended instead of starting:\n{string.Concat(await output)}");
            if (clock.Elapsed > Limit) Assert.Fail($"PostgreSQL takes no connections after {Limit}");
        }
    }

    /// <summary>It and all its children die; the next start recovers.</summary>
    public async Task KillAsync()
    {
        foreach (var one in All()) _ = Kill(one, 9);
        await process!.WaitForExitAsync().WaitAsync(Limit);
    }

    /// <summary>SIGSTOP: connections stay, nothing answers.</summary>
    public void Freeze()
    {
        foreach (var one in All()) Assert.Equal(0, Kill(one, 19));
    }

    /// <summary>SIGCONT.</summary>
    public void Thaw()
    {
        foreach (var one in All()) Assert.Equal(0, Kill(one, 18));
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false }) await KillAsync();
        process?.Dispose();
        watchdog.StandardInput.Close();
        await watchdog.WaitForExitAsync().WaitAsync(Limit);
        watchdog.Dispose();
    }

    private async Task InstallAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "password"), Password);
        if (Environment.IsPrivilegedProcess)
        {
            using var own = Process.Start("chown", ["-R", "nobody", folder]);
            await own.WaitForExitAsync().WaitAsync(Limit);
        }

        using var install = Start(
            "initdb", "-D", Data, "-U", User, "--auth=scram-sha-256", $"--pwfile={Path.Combine(folder, "password")}", "--encoding=UTF8", "--locale=C", "--no-sync");
        var output = Task.WhenAll(install.StandardOutput.ReadToEndAsync(), install.StandardError.ReadToEndAsync());
        await install.WaitForExitAsync().WaitAsync(Limit);
        Assert.True(install.ExitCode == 0, $"initdb failed: {string.Concat(await output)}");
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await ExecuteAsync("SELECT 1");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    /// <summary>The server and its children, each of which leads a session of its own.</summary>
    private List<int> All()
    {
        var children = Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Where(name =>
        {
            try
            {
                var stat = File.ReadAllText($"/proc/{name}/stat");
                return stat[(stat.LastIndexOf(')') + 4)..].StartsWith($"{process!.Id} ", StringComparison.Ordinal);
            }
            catch (IOException)
            {
                return false; // it has ended
            }
        });
        return [process!.Id, .. children.Select(name => int.Parse(name!, CultureInfo.InvariantCulture))];
    }

    /// <summary>Its input ends with the test process, however that ends: then the server and its folder go too.</summary>
    private Process StartWatchdog() => Process.Start(new ProcessStartInfo("sh",
    [
        "-c",
        """
        trap '' INT TERM
        cat > /dev/null
        if [ -f "$1/data/postmaster.pid" ] && pid=$(head -n 1 "$1/data/postmaster.pid") && grep -q "$1" "/proc/$pid/cmdline" 2> /dev/null; then kill -3 "$pid"; kill -18 "$pid"; fi
        rm -rf "$1"
        """,
        "watchdog", folder,
    ])
    { RedirectStandardInput = true })!;

    private Process Start(string program, params string[] arguments)
    {
        string[] all = Environment.IsPrivilegedProcess
            ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", Program(program), .. arguments]
            : [Program(program), .. arguments];
        return Process.Start(new ProcessStartInfo(all[0], all[1..]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = folder })!;
    }

    private static string Program(string name)
    {
        string[] places = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [];
        return Array.Find([.. places.OrderDescending().Select(place => Path.Combine(place, "bin", name))], File.Exists)
            ?? throw new FileNotFoundException($"'{name}' is missing: Tests/run.sh installs it, or apt-get install postgresql.");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
