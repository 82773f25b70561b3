using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Gateway.Cli;

[JsonSerializable(typeof(IEnumerable<JsonElement>))]
internal sealed partial class CtlJson : JsonSerializerContext;
