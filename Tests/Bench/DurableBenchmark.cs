using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Broker.Bench;

/// <summary>QoS 1 to durable sessions that are away, at a running broker: every message is on disk before its PUBACK, none can be skipped.</summary>
/// <remarks>Arguments: port, publishers (100), window (64), seconds (10). The broker needs room: `--Mqtt:MaxQueueLength 0`.</remarks>
internal static class DurableBenchmark
{
    private const int Payload = 64;

    public static void Run(string[] arguments) => RunAsync(Number(arguments, 0, 1883), Number(arguments, 1, 100), Number(arguments, 2, 64), Number(arguments, 3, 10)).GetAwaiter().GetResult();

    private static int Number(string[] arguments, int at, int otherwise) => at < arguments.Length ? int.Parse(arguments[at], CultureInfo.InvariantCulture) : otherwise;

    private static async Task RunAsync(int port, int publishers, int window, int seconds)
    {
        var run = Environment.ProcessId;
        for (var n = 0; n < publishers; n++)
        {
            using var away = await ConnectAsync(port, $"away-{run}-{n}", clean: false);
            await away.SendAsync(Subscribe($"bench/{run}/{n}"));
            await ReceiveAsync(away, 5);
            await away.SendAsync(new byte[] { 0xE0, 0 });
        }

        using var stop = new CancellationTokenSource();
        var tasks = Enumerable.Range(0, publishers).Select(n => PublishAsync(port, run, n, window, stop.Token)).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await stop.CancelAsync();
        var latencies = (await Task.WhenAll(tasks)).SelectMany(list => list).Order().ToArray();
        Console.WriteLine($"{latencies.Length / (double)seconds:N0} messages/s acknowledged, latency p50 {At(0.5):F1} ms, p99 {At(0.99):F1} ms, max {latencies[^1]:F1} ms");

        double At(double quantile) => latencies[(int)((latencies.Length - 1) * quantile)];
    }

    private static async Task<List<float>> PublishAsync(int port, int run, int n, int window, CancellationToken stop)
    {
        using var socket = await ConnectAsync(port, $"pub-{run}-{n}", clean: true);
        var latencies = new List<float>();
        var sentAt = new long[ushort.MaxValue + 1];
        var packets = new byte[window * (Payload + 64)];
        var answers = new byte[window * 4];
        var (next, free, kept) = (1, window, 0);
        while (!stop.IsCancellationRequested)
        {
            var length = 0;
            for (; free > 0; free--, next = next == ushort.MaxValue ? 1 : next + 1)
            {
                sentAt[next] = Stopwatch.GetTimestamp();
                length += Publish(packets.AsSpan(length), $"bench/{run}/{n}", next);
            }

            if (length > 0) await socket.SendAsync(packets.AsMemory(0, length), CancellationToken.None);
            kept += await socket.ReceiveAsync(answers.AsMemory(kept), CancellationToken.None);
            var at = 0;
            for (; kept - at >= 4; at += 4, free++) latencies.Add((float)Stopwatch.GetElapsedTime(sentAt[(answers[at + 2] << 8) | answers[at + 3]]).TotalMilliseconds);
            Array.Copy(answers, at, answers, 0, kept -= at);
        }

        return latencies;
    }

    private static async Task<Socket> ConnectAsync(int port, string clientId, bool clean)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        var id = Encoding.ASCII.GetBytes(clientId);
        await socket.SendAsync(new byte[] { 0x10, (byte)(12 + id.Length), 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, (byte)(clean ? 2 : 0), 0, 0, 0, (byte)id.Length }.Concat(id).ToArray());
        await ReceiveAsync(socket, 4);
        return socket;
    }

    private static async Task ReceiveAsync(Socket socket, int count)
    {
        var buffer = new byte[count];
        for (var got = 0; got < count;)
        {
            var n = await socket.ReceiveAsync(buffer.AsMemory(got));
            got += n > 0 ? n : throw new IOException("The broker closed the connection.");
        }
    }

    private static byte[] Subscribe(string filter)
    {
        var utf8 = Encoding.ASCII.GetBytes(filter);
        return [0x82, (byte)(5 + utf8.Length), 0, 1, 0, (byte)utf8.Length, .. utf8, 1];
    }

    private static int Publish(Span<byte> to, string topic, int identifier)
    {
        var length = Encoding.ASCII.GetBytes(topic, to[4..]);
        to[0] = 0x32;
        to[1] = (byte)(4 + length + Payload);
        to[2] = 0;
        to[3] = (byte)length;
        to[4 + length] = (byte)(identifier >> 8);
        to[5 + length] = (byte)identifier;
        to.Slice(6 + length, Payload).Fill((byte)'x');
        return 6 + length + Payload;
    }
}
