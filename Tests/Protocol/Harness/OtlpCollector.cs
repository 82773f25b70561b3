using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Tests.Protocol.Harness;

/// <summary>A receiver of OpenTelemetry's protocol on a free port of 127.0.0.1, over gRPC or HTTP: keeps every span and the names of all metrics.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication server;

    private OtlpCollector(bool isGrpc)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        builder.Services.AddRoutingCore();
        server = builder.Build();
        server.UseRouting();
        server.MapPost("/v1/traces", context => TakeAsync(context, TakeTraces));
        server.MapPost("/v1/metrics", context => TakeAsync(context, TakeMetrics));
        server.MapPost("/opentelemetry.proto.collector.trace.v1.TraceService/Export", context => TakeCallAsync(context, TakeTraces));
        server.MapPost("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", context => TakeCallAsync(context, TakeMetrics));
    }

    public string Url => server.Urls.Single();

    /// <summary>All spans up to now.</summary>
    public ConcurrentQueue<OtlpSpan> Spans { get; } = [];

    /// <summary>Names of metrics, and of which process.</summary>
    public ConcurrentDictionary<(string Name, string Instance), bool> Metrics { get; } = [];

    public static async Task<OtlpCollector> StartAsync(bool isGrpc)
    {
        var collector = new OtlpCollector(isGrpc);
        await collector.server.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    /// <summary>Waits until the trace that some span belongs to has so many spans.</summary>
    public async Task<OtlpSpan[]> TraceAsync(Func<OtlpSpan, bool> one, int count)
    {
        OtlpSpan[] found = [];
        await Wait.UntilAsync(
            () => (found = Spans.FirstOrDefault(one) is { } first ? [.. Spans.Where(span => span.TraceId == first.TraceId)] : []).Length >= count,
            () => $"{count} spans, but {string.Join("; ", found.Select(span => $"{span.Name} of {span.Instance}"))} among {Spans.Count}");
        return found;
    }

    private static async Task TakeAsync(HttpContext context, Action<byte[]> take)
    {
        take(await ReadAsync(context));
        context.Response.ContentType = "application/x-protobuf";
    }

    /// <summary>One call of gRPC: a message behind five bytes, and so is the answer, an empty one.</summary>
    private static async Task TakeCallAsync(HttpContext context, Action<byte[]> take)
    {
        var body = await ReadAsync(context);
        take(body[5..(5 + BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(1)))]);
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[5]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private void TakeTraces(byte[] request)
    {
        foreach (var resource in ProtoMessage.Parse(request).All(1))
        {
            var instance = InstanceOf(resource);
            foreach (var span in resource.All(2).SelectMany(scope => scope.All(2)))
            {
                Spans.Enqueue(new OtlpSpan(Hex(span, 1), Hex(span, 2), Hex(span, 4), span.Text(5), instance, Attributes(span.All(9))));
            }
        }
    }

    private void TakeMetrics(byte[] request)
    {
        foreach (var resource in ProtoMessage.Parse(request).All(1))
        {
            foreach (var metric in resource.All(2).SelectMany(scope => scope.All(2))) Metrics[(metric.Text(1), InstanceOf(resource))] = true;
        }
    }

    private static string InstanceOf(ProtoMessage resource) => Attributes(resource.All(1).Single().All(1))["service.instance.id"];

    private static Dictionary<string, string> Attributes(IEnumerable<ProtoMessage> pairs) => pairs.ToDictionary(pair => pair.Text(1), pair => pair.All(2).Single() is var value && value.Has(1) ? value.Text(1) : "");

    private static string Hex(ProtoMessage message, int field) => Convert.ToHexStringLower(message.Bytes(field));
}

/// <summary>One span as it was sent.</summary>
/// <param name="ParentId">Empty if it is the first of its trace.</param>
/// <param name="Instance">The process that sent it.</param>
internal sealed record OtlpSpan(string TraceId, string SpanId, string ParentId, string Name, string Instance, Dictionary<string, string> Attributes)
{
    public string Client => Attributes.GetValueOrDefault("messaging.client.id", "");

    public string Topic => Attributes.GetValueOrDefault("messaging.destination.name", "");
}

/// <summary>A message of Protocol Buffers of which no description is at hand: its fields by number, those that hold bytes.</summary>
internal sealed class ProtoMessage
{
    private readonly List<(int Field, byte[] Value)> fields = [];

    public static ProtoMessage Parse(byte[] bytes)
    {
        var message = new ProtoMessage();
        var input = new CodedInputStream(bytes);
        while (input.ReadTag() is var tag and not 0)
        {
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited) message.fields.Add((WireFormat.GetTagFieldNumber(tag), input.ReadBytes().ToByteArray()));
            else input.SkipLastField();
        }

        return message;
    }

    public bool Has(int field) => fields.Exists(one => one.Field == field);

    /// <summary>A field's bytes; none if it is not there.</summary>
    public byte[] Bytes(int field) => fields.Find(one => one.Field == field).Value ?? [];

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    public IEnumerable<ProtoMessage> All(int field) => fields.Where(one => one.Field == field).Select(one => Parse(one.Value));
}
