package main

import (
	"encoding/hex"
	"encoding/json"

	_ "github.com/hibiken/asynq" // registers the record types below
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// codecRequest encodes Fields when they are there, else decodes Hex. Message is the record's name, "TaskMessage" say.
// With an Option, it asks for the option's text instead.
type codecRequest struct {
	Message string          `json:"message"`
	Fields  json.RawMessage `json:"fields"`
	Hex     string          `json:"hex"`
	Option  *optionSpec     `json:"option"`
}

type codecAnswer struct {
	Hex string `json:"hex"`
	// Fields in protobuf's JSON mapping: bytes as base64, 64-bit integers as text, instants as RFC 3339.
	Fields json.RawMessage `json:"fields"`
	Text   string          `json:"text"`
	Error  string          `json:"error"`
}

// codec lets the tests see bytes and fields through the very types Asynq stores its records with. They are internal
// to its module, but every program that links it finds them in protobuf's registry.
func codec() {
	eachLine(func(request codecRequest) {
		reply, err := transcode(request)
		if err != nil {
			reply = codecAnswer{Error: err.Error()}
		}
		emit(reply)
	})
}

func transcode(request codecRequest) (codecAnswer, error) {
	if request.Option != nil {
		return codecAnswer{Text: request.Option.option().String()}, nil
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName("asynq." + request.Message))
	if err != nil {
		return codecAnswer{}, err
	}
	message := kind.New().Interface()
	if request.Fields != nil {
		err = protojson.Unmarshal(request.Fields, message)
	} else {
		var bytes []byte
		if bytes, err = hex.DecodeString(request.Hex); err == nil {
			err = proto.Unmarshal(bytes, message)
		}
	}
	if err != nil {
		return codecAnswer{}, err
	}
	// Without this, maps come in another order on every run.
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		return codecAnswer{}, err
	}
	fields, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	return codecAnswer{Hex: hex.EncodeToString(bytes), Fields: fields}, err
}
