using System.Diagnostics;
using System.Globalization;
using System.Text;
using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Transport;
using DotNetty.Buffers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Bench;

/// <summary>Connects many clients over in-memory channels to a whole broker, and reports time and memory for each; then what they cost while idle.</summary>
internal static class IdleSessionsBenchmark
{
    public static void Run(string[] arguments) => RunAsync(arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 1_000_000).GetAwaiter().GetResult();

    private static async Task RunAsync(int count)
    {
        using var host = await StartBrokerAsync();
        var loops = host.Services.GetRequiredService<GatewayLoops>();
        var pipeline = MakePipeline(host.Services);

        await ConnectAsync(loops, pipeline, "warm", 10_000);
        var (heap, resident, clock) = (GC.GetTotalMemory(true), Process.GetCurrentProcess().WorkingSet64, Stopwatch.StartNew());
        var channels = await ConnectAsync(loops, pipeline, "idle", count);
        var seconds = clock.Elapsed.TotalSeconds;
        Console.WriteLine($"{count:N0} sessions connected in {seconds:F1} s: {count / seconds:N0} a second");
        Console.WriteLine($"heap {(GC.GetTotalMemory(true) - heap) / (double)count:N0} B each, resident {(Process.GetCurrentProcess().WorkingSet64 - resident) / (double)count:N0} B each");

        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(20));
        Console.WriteLine($"idle: {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds / 20:P1} of a core (keep alive 300 s)");
        Console.WriteLine($"answered: {channels.Count(channel => channel.BytesWritten == 4):N0} CONNACKs");
        Environment.Exit(0);
    }

    /// <summary>A whole broker on free ports, with data of its own.</summary>
    public static async Task<IHost> StartBrokerAsync()
    {
        var data = Directory.CreateTempSubdirectory("broker-bench-");
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Gateway:Port"] = "0", ["Admin:Address"] = "127.0.0.1", ["Admin:Port"] = "0", ["Admin:DashboardPort"] = "0", ["Storage:DataDirectory"] = data.FullName,
        });
        builder.AddEmbeddedSilo();
        builder.AddGateway();
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>What stands behind channels that no listener accepted.</summary>
    public static ChannelPipeline MakePipeline(IServiceProvider services)
    {
        var listener = new MqttListener("bench", new ListenerSetup("bench", new ListenerOptions()), () => new(), _ => null!);
        return new ChannelPipeline(services.GetRequiredService<GatewayLoops>(), services.GetRequiredService<ConnectionServices>(), listener, () => int.MaxValue);
    }

    public static async Task<MemoryChannel[]> ConnectAsync(GatewayLoops loops, ChannelPipeline pipeline, string prefix, int count)
    {
        var channels = new MemoryChannel[count];
        var done = loops.All.Select(context =>
        {
            var finished = new TaskCompletionSource();
            ConnectSlice(context, pipeline, channels, prefix, context.Index, loops.All.Count, finished);
            return finished.Task;
        });
        await Task.WhenAll(done);
        return channels;
    }

    /// <summary>A thousand at a stretch, then the loop may do other things.</summary>
    private static void ConnectSlice(LoopContext context, ChannelPipeline pipeline, MemoryChannel[] channels, string prefix, int from, int step, TaskCompletionSource finished) =>
        context.Loop.Execute(() =>
        {
            var next = from;
            for (var n = 0; n < 1000 && next < channels.Length; n++, next += step)
            {
                var channel = channels[next] = new MemoryChannel();
                channel.Pipeline.AddLast(pipeline);
                _ = context.Loop.RegisterAsync(channel);
                channel.Pipeline.FireChannelRead(Unpooled.WrappedBuffer(Connect($"{prefix}-{next}")));
            }

            if (next < channels.Length) ConnectSlice(context, pipeline, channels, prefix, next, step, finished);
            else finished.SetResult();
        });

    private static byte[] Connect(string clientId)
    {
        var id = Encoding.ASCII.GetBytes(clientId);
        return [0x10, (byte)(12 + id.Length), 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 1, 44, 0, (byte)id.Length, .. id];
    }
}
