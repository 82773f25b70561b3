using System.CommandLine;
using System.CommandLine.Help;
using System.Net;

namespace Broker.Gateway.Cli.Bench;

/// <summary>`bench conn|pub|sub|pubsub`, with the options of EMQ's `emqtt_bench`.</summary>
internal static class BenchCommands
{
    /// <param name="isJson">Whether `--json` stands before the command.</param>
    public static Command Make(CtlConsole console, Func<ParseResult, bool> isJson)
    {
        var json = new Option<bool>("--json") { Description = "show nothing but the result, as one JSON document", Recursive = true };
        // -h is the host.
        var bench = new Command("bench", "puts load on a broker and measures it") { new HelpOption("--help"), json };
        bool IsJson(ParseResult parsed) => parsed.GetValue(json) || isJson(parsed);
        bench.Add(Make(console, IsJson, BenchKind.Conn, "opens connections and holds them"));
        bench.Add(Make(console, IsJson, BenchKind.Pub, "publishes"));
        bench.Add(Make(console, IsJson, BenchKind.Sub, "subscribes and receives"));
        bench.Add(Make(console, IsJson, BenchKind.PubSub, "subscribes, then publishes: COUNT clients for each"));
        return bench;
    }

    private static Command Make(CtlConsole console, Func<ParseResult, bool> isJson, BenchKind kind, string help)
    {
        var command = new Command(kind.ToString().ToLowerInvariant(), help);
        var flags = new BenchFlags(command, kind);
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = flags.Read(parsed);
            using var run = new BenchRun(options);
            var running = run.RunAsync(cancellation);
            if (!isJson(parsed)) await BenchView.ShowAsync(run, running, console);
            var result = await running;
            if (isJson(parsed)) await console.Out.WriteLineAsync(result.ToJson());
            else foreach (var line in result.ToLines()) await console.Out.WriteLineAsync(line);
            return (int)result.Code;
        });
        return command;
    }
}

/// <summary>The options of one of the benchmarks.</summary>
internal sealed class BenchFlags
{
    private const int Port = 1883, TlsPort = 8883, WebSocketPort = 8083, SecureWebSocketPort = 8084;

    private readonly BenchKind kind;
    private readonly Option<string?> host = new("--host", "-h") { Description = "the broker (localhost)" };
    private readonly Option<string?> hosts = new("--hosts") { Description = "several, in turn: HOST[:PORT],HOST[:PORT]" };
    private readonly Option<int?> port = new("--port", "-p") { Description = "its port (1883; with -S 8883, with --ws 8083, with both 8084)" };
    private readonly Option<int> version = Number("--version", "-V", 5, 3, 5, "MQTT version: 3, 4 or 5");
    private readonly Option<int> count = Number("--count", "-c", 200, 1, 10_000_000, "clients");
    private readonly Option<int> start = Number("--startnumber", "-n", 0, 0, int.MaxValue / 2, "number of the first client");
    private readonly Option<int> interval = Number("--interval", "-i", 10, 0, 3_600_000, "milliseconds between two connects; 0 for none");
    private readonly Option<int> messageInterval = Number("--interval_of_msg", "-I", 1000, 0, 86_400_000, "milliseconds between two messages of a client; 0 for as fast as it goes");
    private readonly Option<string?> userName = new("--username", "-u");
    private readonly Option<string?> password = new("--password", "-P");
    private readonly Option<string?> topic = new("--topic", "-t") { Description = "topic, with %c for the client identifier, %u for the user name, %i for the client's number" };
    private readonly Option<int> size = Number("--size", "-s", 256, 0, 200_000_000, "bytes of a payload; from 12 on it says when it was sent");
    private readonly Option<int> qos = Number("--qos", "-q", 0, 0, 2, "quality of service");
    private readonly Option<bool> retain = new("--retain", "-r") { Description = "retain messages" };
    private readonly Option<int> keepAlive = Number("--keepalive", "-k", 300, 0, 65_535, "seconds");
    private readonly Option<bool> clean = new("--clean", "-C") { Description = "begin with a new session", DefaultValueFactory = _ => true };
    private readonly Option<bool> tls = new("--ssl", "-S") { Description = "TLS; any certificate is taken" };
    private readonly Option<string?> certificate = new("--certfile") { Description = "PEM file of the clients' certificate" };
    private readonly Option<string?> key = new("--keyfile") { Description = "PEM file of its key" };
    private readonly Option<bool> webSocket = new("--ws") { Description = "WebSocket, path /mqtt" };
    private readonly Option<string?> addresses = new("--ifaddr") { Description = "own addresses to connect from, in turn: ADDRESS,ADDRESS" };
    private readonly Option<double?> duration = new("--duration") { Description = "seconds to go on once all are connected" };
    private readonly Option<long> limit = new("--limit", "-L") { Description = "messages in all; 0 for no end" };
    private readonly Option<int> inflight = Number("--inflight", "-F", 1, 1, 65_535, "messages of QoS 1 and 2 that a publisher leaves unacknowledged");

    public BenchFlags(Command command, BenchKind kind)
    {
        this.kind = kind;
        Option[] all = [host, hosts, port, version, count, start, interval, userName, password, keepAlive, clean, tls, certificate, key, webSocket, addresses, duration];
        foreach (var option in all) command.Add(option);
        if (kind == BenchKind.Conn) return;
        foreach (var option in (Option[])[topic, qos, limit]) command.Add(option);
        topic.Required = true;
        if (kind == BenchKind.Sub) return;
        foreach (var option in (Option[])[messageInterval, size, retain, inflight]) command.Add(option);
    }

    public BenchOptions Read(ParseResult parsed)
    {
        var (isSecure, isWebSocket) = (parsed.GetValue(tls), parsed.GetValue(webSocket));
        var usualPort = parsed.GetValue(port) ?? (isWebSocket ? isSecure ? SecureWebSocketPort : WebSocketPort : isSecure ? TlsPort : Port);
        var names = (parsed.GetValue(hosts) ?? parsed.GetValue(host) ?? "localhost").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var options = new BenchOptions
        {
            Kind = kind,
            Hosts = [.. names.Select(name => HostOf(name, usualPort))],
            Version = parsed.GetValue(version),
            Count = parsed.GetValue(count),
            StartNumber = parsed.GetValue(start),
            ConnectInterval = parsed.GetValue(interval),
            UserName = parsed.GetValue(userName),
            Password = parsed.GetValue(password),
            KeepAlive = parsed.GetValue(keepAlive),
            Clean = parsed.GetValue(clean),
            Tls = isSecure,
            CertificateFile = parsed.GetValue(certificate),
            KeyFile = parsed.GetValue(key),
            WebSocket = isWebSocket,
            Sources = [.. (parsed.GetValue(addresses) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(AddressOf)],
            Duration = parsed.GetValue(duration) is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 31_536_000)) : null,
        };
        if (kind == BenchKind.Conn) return options;
        options = options with { Topic = parsed.GetValue(topic)!, Qos = parsed.GetValue(qos), Limit = Math.Max(parsed.GetValue(limit), 0) };
        return kind == BenchKind.Sub ? options : options with { MessageInterval = parsed.GetValue(messageInterval), Size = parsed.GetValue(size), Retain = parsed.GetValue(retain), Inflight = parsed.GetValue(inflight) };
    }

    private static DnsEndPoint HostOf(string text, int usualPort)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || text.IndexOf(':', StringComparison.Ordinal) != colon) return new DnsEndPoint(text, usualPort);
        return ushort.TryParse(text[(colon + 1)..], out var own) && own > 0 ? new DnsEndPoint(text[..colon], own) : throw CtlException.Usage($"{text} has no port");
    }

    private static IPAddress AddressOf(string text) => IPAddress.TryParse(text, out var address) ? address : throw CtlException.Usage($"--ifaddr: {text} is no address");

    private static Option<int> Number(string name, string alias, int usual, int least, int most, string help)
    {
        var option = new Option<int>(name, alias) { Description = help, DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var value) || value < least || value > most)) result.AddError($"{name} must be {least} to {most}");
        });
        return option;
    }
}
