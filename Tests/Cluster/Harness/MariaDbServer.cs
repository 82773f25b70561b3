using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MySqlConnector;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A MariaDB server of the tests' own: a temporary folder, a free port of 127.0.0.1, nothing shared with one the system may run.
/// May be stopped, killed, frozen and started again on the same data.</summary>
internal sealed partial class MariaDbServer : IAsyncDisposable
{
    private const string User = "broker";
    private const string UserPassword = "broker-test";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("broker-mariadb-").FullName;
    private readonly string[] options;
    private readonly Process watchdog;
    private Process? process;
    private int databases;
    private bool isDisposed;

    private MariaDbServer(string[] options)
    {
        this.options = options;
        Port = FreePorts.Find();
        watchdog = StartWatchdog();
    }

    /// <summary>Its port, the same after every start.</summary>
    public int Port { get; }

    /// <summary>Where its data lies.</summary>
    public string DataDirectory => Path.Combine(folder, "data");

    private string PidFile => Path.Combine(folder, "pid");

    private string LogFile => Path.Combine(folder, "log");

    /// <summary>Makes an empty server and starts it.</summary>
    /// <param name="options">Further options, as `--max-connections=10`.</param>
    public static async Task<MariaDbServer> StartNewAsync(params string[] options)
    {
        var server = new MariaDbServer(options);
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

    /// <summary>Makes an empty database.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"broker_{Interlocked.Increment(ref databases)}");
        await ExecuteAsync($"CREATE DATABASE {name}");
        return ConnectionString(name);
    }

    /// <summary>The connection string of a database; of none in particular if the name is empty.</summary>
    public string ConnectionString(string database = "", string user = User, string password = UserPassword) => new MySqlConnectionStringBuilder
    {
        Server = "127.0.0.1", Port = (uint)Port, UserID = user, Password = password, Database = database,
    }.ToString();

    /// <summary>Runs statements as a user who may do everything.</summary>
    public async Task ExecuteAsync(string sql, string database = "")
    {
        await using var connection = new MySqlConnection(ConnectionString(database) + ";Pooling=false");
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
        List<string> arguments =
        [
            "--no-defaults", .. AsRoot(), $"--datadir={DataDirectory}", $"--socket={Path.Combine(folder, "socket")}", $"--pid-file={PidFile}",
            $"--log-error={LogFile}", $"--init-file={Path.Combine(folder, "users.sql")}", "--bind-address=127.0.0.1", $"--port={Port}",
            "--skip-name-resolve", "--skip-log-bin", "--innodb-buffer-pool-size=128M", "--innodb-log-file-size=64M", "--loose-innodb-buffer-pool-load-at-startup=0",
            "--loose-innodb-buffer-pool-dump-at-shutdown=0", "--character-set-server=utf8mb4", .. options,
        ];
        process = Process.Start(new ProcessStartInfo(Program("mariadbd"), arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _ = process.StandardOutput.ReadToEndAsync();
        _ = process.StandardError.ReadToEndAsync();
        var clock = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            if (process.HasExited) Assert.Fail($"MariaDB ended with {process.ExitCode} instead of starting:\n{Log()}");
            if (clock.Elapsed > Limit) Assert.Fail($"MariaDB takes no connections after {Limit}:\n{Log()}");
            await Task.Delay(20);
        }
    }

    /// <summary>An orderly stop.</summary>
    public Task StopAsync() => EndAsync(15);

    /// <summary>kill -9.</summary>
    public Task KillAsync() => EndAsync(9);

    /// <summary>SIGSTOP: connections stay, nothing answers.</summary>
    public void Freeze() => Send(19);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Send(18);

    /// <summary>Kills it and removes all it had.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        if (process is { HasExited: false }) await KillAsync();
        process?.Dispose();
        watchdog.StandardInput.Close();
        await watchdog.WaitForExitAsync().WaitAsync(Limit);
        watchdog.Dispose();
    }

    private async Task InstallAsync()
    {
        using var install = Process.Start(new ProcessStartInfo(
            Program("mariadb-install-db"),
            ["--no-defaults", .. AsRoot(), $"--datadir={DataDirectory}", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!;
        var output = await Task.WhenAll(install.StandardOutput.ReadToEndAsync(), install.StandardError.ReadToEndAsync()).WaitAsync(Limit);
        await install.WaitForExitAsync().WaitAsync(Limit);
        Assert.True(install.ExitCode == 0, $"mariadb-install-db failed: {string.Concat(output)}");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "users.sql"),
            $"CREATE USER IF NOT EXISTS '{User}'@'%' IDENTIFIED BY '{UserPassword}';\nGRANT ALL ON *.* TO '{User}'@'%' WITH GRANT OPTION;\n");
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await ExecuteAsync("DO 1");
            return true;
        }
        catch (MySqlException)
        {
            return false;
        }
    }

    private async Task EndAsync(int signal)
    {
        if (process is null) return;
        Send(signal);
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"MariaDB did not end within {Limit} of signal {signal}:\n{Log()}");
        }
    }

    private string Log() => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "It has no log.";

    private void Send(int signal) => Assert.Equal(0, Kill(process!.Id, signal));

    /// <summary>Its input ends with the test process, however that ends: then the server and its folder go too.</summary>
    private Process StartWatchdog() => Process.Start(new ProcessStartInfo("sh",
    [
        "-c",
        """
        trap '' INT TERM
        cat > /dev/null
        if [ -f "$1/pid" ] && pid=$(cat "$1/pid") && grep -q "$1" "/proc/$pid/cmdline" 2> /dev/null; then kill -9 "$pid"; fi
        rm -rf "$1"
        """,
        "watchdog", folder,
    ])
    { RedirectStandardInput = true })!;

    private static string[] AsRoot() => Environment.IsPrivilegedProcess ? ["--user=root"] : [];

    private static string Program(string name)
    {
        string[] places = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin"];
        return Array.Find(Array.ConvertAll(places, place => Path.Combine(place, name)), File.Exists)
            ?? throw new FileNotFoundException($"'{name}' is missing: Tests/run.sh installs it, or apt-get install mariadb-server.");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
