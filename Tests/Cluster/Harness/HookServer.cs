using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Broker.Gateway.ExHook.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A hook provider on a port of 127.0.0.1: keeps what it is told, and decides what it is asked. May be killed, frozen and started again on its port.</summary>
/// <param name="hooks">What it serves: a hook, or `message.publish filter filter`.</param>
/// <param name="certificate">With it, it speaks TLS.</param>
internal sealed class HookServer(string[] hooks, X509Certificate2? certificate = null) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private WebApplication? server;

    /// <summary>The same after every start.</summary>
    public int Port { get; } = FreePorts.Find();

    public string Url => $"{(certificate is null ? "http" : "https")}://localhost:{Port}";

    public ConcurrentQueue<IMessage> Requests { get; } = new();

    /// <summary>What it serves from the next start of the broker, or reconnection, on.</summary>
    public string[] Hooks { get; set; } = hooks;

    /// <summary>Decides about valued requests; null goes on.</summary>
    public Func<IMessage, ValuedResponse?> Decide { get; set; } = _ => null;

    /// <summary>While this is not complete, no answer is given.</summary>
    public TaskCompletionSource Gate { get; set; } = Open();

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        builder.Services.AddRoutingCore().AddGrpc();
        builder.Services.AddSingleton(this);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);
        server = builder.Build();
        server.UseRouting();
        server.MapGrpcService<Provider>();
        await server.StartAsync().WaitAsync(Limit);
    }

    /// <summary>It ends with all its connections.</summary>
    public async Task KillAsync()
    {
        if (server is null) return;
        Gate.TrySetResult();
        try
        {
            await server.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Limit);
        }
        catch (OperationCanceledException)
        {
            // Connections were cut: that is what is wanted.
        }

        await server.DisposeAsync();
        server = null;
    }

    /// <summary>Answers nothing until it is thawed.</summary>
    public void Freeze() => Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => Gate.TrySetResult();

    /// <summary>Waits for a request.</summary>
    public async Task<T> ExpectAsync<T>(Func<T, bool>? which = null)
        where T : IMessage
    {
        using var patience = new CancellationTokenSource(Limit);
        while (true)
        {
            if (Requests.OfType<T>().FirstOrDefault(one => which is null || which(one)) is { } found) return found;
            if (patience.IsCancellationRequested) Assert.Fail($"{typeof(T).Name} has not come, but:\n{string.Join('\n', Requests)}");
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private static TaskCompletionSource Open()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }

    private sealed class Provider(HookServer owner) : HookProvider.HookProviderBase
    {
        public override async Task<LoadedResponse> OnProviderLoaded(ProviderLoadedRequest request, ServerCallContext context)
        {
            await NoteAsync(request);
            var specs = owner.Hooks.Select(hook => hook.Split(' ')).Select(words => new HookSpec { Name = words[0], Topics = { words[1..] } });
            return new LoadedResponse { Hooks = { specs } };
        }

        public override Task<EmptySuccess> OnProviderUnloaded(ProviderUnloadedRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnClientConnect(ClientConnectRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnClientConnack(ClientConnackRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnClientConnected(ClientConnectedRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnClientDisconnected(ClientDisconnectedRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<ValuedResponse> OnClientAuthenticate(ClientAuthenticateRequest request, ServerCallContext context) => DecideAsync(request);

        public override Task<ValuedResponse> OnClientCheckAcl(ClientCheckAclRequest request, ServerCallContext context) => DecideAsync(request);

        public override Task<EmptySuccess> OnClientSubscribe(ClientSubscribeRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnClientUnsubscribe(ClientUnsubscribeRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnSessionCreated(SessionRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnSessionResumed(SessionRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnSessionDiscarded(SessionRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnSessionTakeovered(SessionRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnSessionTerminated(SessionTerminatedRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnSessionSubscribed(SessionSubscribedRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnSessionUnsubscribed(SessionUnsubscribedRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<ValuedResponse> OnMessagePublish(MessagePublishRequest request, ServerCallContext context) => DecideAsync(request);

        public override Task<EmptySuccess> OnMessageDelivered(MessageClientRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnMessageAcked(MessageClientRequest request, ServerCallContext context) => NoteAsync(request);

        public override Task<EmptySuccess> OnMessageDropped(MessageDroppedRequest request, ServerCallContext context) => NoteAsync(request);

        private async Task<EmptySuccess> NoteAsync(IMessage request)
        {
            owner.Requests.Enqueue(request);
            await owner.Gate.Task;
            return new EmptySuccess();
        }

        private async Task<ValuedResponse> DecideAsync(IMessage request)
        {
            await NoteAsync(request);
            return owner.Decide(request) ?? new ValuedResponse { Type = ValuedResponse.Types.ResponsedType.Ignore };
        }
    }
}
