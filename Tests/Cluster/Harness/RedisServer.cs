using System.Globalization;
using StackExchange.Redis;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A Redis server of the tests' own: a temporary folder, a free port of 127.0.0.1. What it was told is there after it was killed.</summary>
/// <param name="options">Further options, as `--cluster-enabled yes`; `--sentinel` makes it a sentinel.</param>
internal sealed class RedisServer(params string[] options) : IAsyncDisposable
{
    public const string Password = "broker-test";
    private readonly PrivateProcess process = new("redis", "pid");
    private readonly bool isSentinel = options.Contains("--sentinel");

    /// <summary>Its port, the same after every start.</summary>
    public int Port { get; } = FreePorts.Find();

    /// <summary>Makes a server and starts it.</summary>
    public static async Task<RedisServer> StartNewAsync(params string[] options)
    {
        var server = new RedisServer(options);
        try
        {
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it on the data it has, and waits until it answers.</summary>
    public Task StartAsync()
    {
        string[] own =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", process.Folder, "--pidfile", Path.Combine(process.Folder, "pid"), "--daemonize", "no",
            "--set-proc-title", "no", // the folder's name is to stay in its command line
        ];
        string[] data = ["--requirepass", Password, "--masterauth", Password, "--appendonly", "yes", "--save", ""];
        string[] all = isSentinel ? [SentinelFile(), .. own, .. options] : [.. own, .. data, .. options];
        return process.StartAsync(PrivateProcess.Program("redis-server", "redis-server"), all, AnswersAsync);
    }

    public Task KillAsync() => process.KillAsync();

    public void Freeze() => process.Freeze();

    public void Thaw() => process.Thaw();

    /// <summary>Runs a command.</summary>
    public async Task<RedisResult> ExecuteAsync(string command, params object[] arguments)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions
        {
            EndPoints = { { "127.0.0.1", Port } },
            Password = isSentinel ? null : Password,
            CommandMap = isSentinel ? CommandMap.Sentinel : CommandMap.Default,
            ConnectTimeout = 1000,
            AllowAdmin = true,
        });
        return await connection.GetServer("127.0.0.1", Port).ExecuteAsync(command, arguments);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    /// <summary>A sentinel keeps what it learns in its file.</summary>
    private string SentinelFile()
    {
        var file = Path.Combine(process.Folder, "sentinel.conf");
        if (!File.Exists(file)) File.WriteAllText(file, "");
        return file;
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            return (string?)await ExecuteAsync("PING") == "PONG";
        }
        catch (RedisException)
        {
            return false;
        }
    }
}
