using System.Buffers;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using Broker.Gateway.Admin.Audit;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Records;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Admin;

/// <summary>The HTTP API on the admin port: checks who calls, calls the endpoint, and writes its answer.</summary>
internal sealed partial class ApiServer(IEnumerable<IApiResource> resources, ApiAccess access, Auditor auditor, NodeIdentity self, TimeProvider time, ILogger<ApiServer> log)
{
    private const string BasePath = "/api/v4";
    private static readonly string Version = Assembly.GetExecutingAssembly().GetName().Version!.ToString(3);

    /// <summary>Nobody is let in from there for a while.</summary>
    public static ApiAnswer TooMany { get; } = ApiAnswer.Plain(429, "Too many wrong secrets.");

    /// <summary>Characters that only pages must not hold are written as they are: these answers are no pages, and say so.</summary>
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly ApiAnswer Unauthorized = ApiAnswer.Plain(401, "UNAUTHORIZED");
    private readonly ApiEndpoint[] endpoints = [.. resources.SelectMany(one => one.Endpoints)];

    /// <summary>Adds the endpoints to a server.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        foreach (var endpoint in endpoints) routes.MapMethods($"/api/v{endpoint.Version}{endpoint.Path}", [endpoint.Method], context => RunAsync(context, endpoint));
        routes.MapMethods(BasePath, ["GET"], context => RunAsync(context, Index));
        routes.MapMethods("/api/openapi.json", ["GET"], context => WriteAsync(context, new ApiAnswer(200, json => OpenApi.Write(json, [Index, .. endpoints], Version))));
        routes.MapMethods("/api/docs", ["GET"], context => WriteAsync(context, ApiAnswer.Plain(200, OpenApi.Page) with { Type = "text/html; charset=utf-8" }));
        routes.Map("/status", context => WriteAsync(context, access.IsReady ? ApiAnswer.Plain(200, $"Node {self.Name} is started\nemqx is running") : ApiAnswer.Plain(503, $"Node {self.Name} is started\nemqx is not_running")));
        routes.Map(BasePath, context => WriteAsync(context, ApiAnswer.Plain(400, "Bad Request")));
        routes.Map("/api/{version}/{**rest}", context => WriteAsync(context, context.Request.RouteValues["version"] is "v4" or "v5" ? ApiAnswer.NotFound : ApiAnswer.Plain(400, "Not found.")));
        routes.Map("/api/{**rest}", context => WriteAsync(context, ApiAnswer.NotFound));
    }

    private ApiEndpoint Index => new("GET", "", "list_apis", "All endpoints", _ => Task.FromResult(ApiAnswer.Data(json =>
    {
        json.WriteStartArray();
        foreach (var one in endpoints.Where(one => one.Version == 4))
        {
            json.WriteStartObject();
            json.WriteString("path", one.Path.Replace("{", ":", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal));
            json.WriteString("name", one.Name);
            json.WriteString("method", one.Method);
            json.WriteString("descr", one.Description);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    })));

    private async Task RunAsync(HttpContext context, ApiEndpoint endpoint)
    {
        try
        {
            var started = time.GetTimestamp();
            if (!access.IsReady) await WriteAsync(context, ApiAnswer.Plain(503, "Not ready."));
            else if (endpoint.IsForUsers && !ApiAccess.IsDashboard(context)) await WriteAsync(context, ApiAnswer.NotFound);
            // A browser sends what it remembers of us with whatever a foreign page makes it send.
            else if (endpoint.Changes && CrossSite.Comes(context.Request)) await WriteAsync(context, ApiAnswer.Plain(403, "Forbidden."));
            else if (await AdmitAsync(context, endpoint, started) is { } user) await CallAsync(context, endpoint, user, started);
        }
        catch (Exception fault) when (!context.RequestAborted.IsCancellationRequested) // the boundary of this call
        {
            LogFailed(log, fault, endpoint.Name);
            if (!context.Response.HasStarted) await WriteAsync(context, ApiAnswer.Plain(500, "Internal Error"));
        }
    }

    /// <returns>Who calls; null if it was refused, and told so.</returns>
    private async Task<string?> AdmitAsync(HttpContext context, ApiEndpoint endpoint, long started)
    {
        if (endpoint.IsOpen) return "";
        var (admission, user) = await access.AdmitAsync(context);
        if (admission == Admission.Welcome) return user;
        if (admission == Admission.TooMany)
        {
            await WriteAsync(context, TooMany);
            return null;
        }

        if (user.Length > 0) await auditor.RefusedAsync(context, endpoint, user, Unauthorized, started);
        context.Response.Headers.WWWAuthenticate = "Basic Realm=\"minirest-server\"";
        await WriteAsync(context, Unauthorized);
        return null;
    }

    private async Task CallAsync(HttpContext context, ApiEndpoint endpoint, string user, long started)
    {
        JsonDocument? body = null, whole = null;
        ApiAnswer answer;
        try
        {
            body = await ReadAsync(context, endpoint.MaxBody);
            whole = QueryMembers.AddTo(body, endpoint, context.Request.Query);
            answer = await AnswerAsync(endpoint, new ApiCall(context, endpoint, (whole ?? body)?.RootElement) { User = user });
        }
        catch (Exception fault) when (fault is JsonException or BadHttpRequestException)
        {
            answer = fault is BadHttpRequestException { StatusCode: 413 } ? ApiAnswer.Plain(413, "Too large.") : ApiAnswer.Plain(400, "Bad Request");
        }
        catch (Exception fault) when (!context.RequestAborted.IsCancellationRequested) // it is written down as well
        {
            LogFailed(log, fault, endpoint.Name);
            answer = ApiAnswer.Plain(500, "Internal Error");
        }

        // Answers may show again what was sent.
        using (body)
        using (whole)
        {
            if (endpoint.Changes) await AuditAsync(context, endpoint, user, body?.RootElement, answer, started);
            await WriteAsync(context, answer);
        }
    }

    private Task AuditAsync(HttpContext context, ApiEndpoint endpoint, string user, JsonElement? body, ApiAnswer answer, long started)
    {
        if (!endpoint.IsOpen) return auditor.ChangedAsync(context, endpoint, user, body, answer, started);
        // A login: who it is stands in what was sent.
        var claimed = context.Request.Query.TryGetValue("username", out var named) ? named.ToString() : body?.Text("username") ?? "";
        if (answer.Code == 0) return auditor.ChangedAsync(context, endpoint, claimed, null, answer, started);
        return answer.Status == 429 ? Task.CompletedTask : auditor.RefusedAsync(context, endpoint, claimed, answer, started);
    }

    private static async Task<ApiAnswer> AnswerAsync(ApiEndpoint endpoint, ApiCall call)
    {
        try
        {
            if (endpoint.Sweeps && call.FindUnknown() is { } unknown) return ApiAnswer.Fault(ResultCode.BadParameter, $"{endpoint.Name} does not know the parameter '{unknown}'");
            return await endpoint.Handle(call);
        }
        catch (ApiException refused)
        {
            return ApiAnswer.Fault(refused.Code, refused.Message);
        }
        catch (KeyTooLongException refused)
        {
            return ApiAnswer.Fault(ResultCode.BadParameter, refused.Message);
        }
        catch (RecordsUnavailableException fault)
        {
            return ApiAnswer.Fault(ResultCode.Unknown, fault.Message);
        }
        catch (TimeoutException)
        {
            return ApiAnswer.Unanswered;
        }
        catch (OrleansException fault) // the cluster does not answer
        {
            return ApiAnswer.Fault(ResultCode.NodeFailed, fault.Message);
        }
    }

    private static async Task<JsonDocument?> ReadAsync(HttpContext context, long maxBody)
    {
        var request = context.Request;
        if (request.ContentLength is 0 || (request.ContentLength is null && request.Headers.TransferEncoding.Count == 0)) return null;
        if (request.ContentLength > maxBody) throw new BadHttpRequestException("too large", StatusCodes.Status413PayloadTooLarge);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = maxBody;
        var document = await JsonDocument.ParseAsync(request.Body);
        if (document.RootElement.IsText()) return document;
        document.Dispose();
        throw new JsonException("text that is no Unicode");
    }

    private static async Task WriteAsync(HttpContext context, ApiAnswer answer)
    {
        context.Response.StatusCode = answer.Status;
        if (answer.Text is { } text)
        {
            context.Response.ContentType = answer.Type;
            await context.Response.WriteAsync(text);
            return;
        }

        if (answer.File is { } file)
        {
            await using var sent = file;
            context.Response.ContentType = answer.Type;
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"{answer.FileName}\"";
            await file.CopyToAsync(context.Response.Body, context.RequestAborted);
            return;
        }

        context.Response.ContentType = "application/json";
        await using (var json = new Utf8JsonWriter((IBufferWriter<byte>)context.Response.BodyWriter, Readable))
        {
            json.WriteStartObject();
            answer.Members(json);
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync();
    }

    [LoggerMessage(1, LogLevel.Error, "{Endpoint} of the HTTP API failed")]
    private static partial void LogFailed(ILogger log, Exception fault, string endpoint);
}
